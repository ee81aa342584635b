// Owns Go's words for malformed JSON: a scanner that finds the first wrong byte and says what encoding/json says of it.
// It runs only on texts that did not parse. Pure.

type State = (scan: Scan, byte: number) => string | undefined;

interface Scan {
  state: State;
  /** What is open: an object before a key's colon, an object's value, an array's value. */
  readonly open: ('key' | 'value' | 'array')[];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** The message for the first fault; undefined when the text is a JSON value. */
export function goSyntaxError(bytes: Uint8Array): string | undefined {
  const scan: Scan = { state: beginValue, open: [] };
  for (const byte of bytes) {
    const context = scan.state(scan, byte);
    if (context !== undefined) return `invalid character ${quoteByte(byte)} ${context}`;
  }
  // A number may end with the text.
  if (scan.open.length === 0 && scan.state(scan, 0x20) === undefined && scan.state === endTop) return undefined;
  return 'unexpected end of JSON input';
}

/** A byte as Go quotes it: as the character of that number. */
function quoteByte(byte: number): string {
  if (byte === 0x27) return String.raw`'\''`;
  if (byte === QUOTE) return `'"'`;
  const named: Readonly<Record<number, string>> = {
    7: 'a',
    8: 'b',
    9: 't',
    10: 'n',
    11: 'v',
    12: 'f',
    13: 'r',
    92: '\\',
  };
  if (named[byte] !== undefined) return `'\\${named[byte]}'`;
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, '0')}'`;
  if (byte >= 0x80 && (byte <= 0xa0 || byte === 0xad)) return `'\\u${byte.toString(16).padStart(4, '0')}'`;
  return `'${String.fromCharCode(byte)}'`;
}

function beginValue(scan: Scan, byte: number): string | undefined {
  if (SPACES.has(byte)) return undefined;
  switch (String.fromCharCode(byte)) {
    case '{':
      scan.open.push('key');
      scan.state = beginKeyOrEmpty;
      return undefined;
    case '[':
      scan.open.push('array');
      scan.state = beginValueOrEmpty;
      return undefined;
    case '"':
      scan.state = inString;
      return undefined;
    case '-':
      scan.state = afterMinus;
      return undefined;
    case '0':
      scan.state = afterZero;
      return undefined;
    case 't':
      scan.state = literal('true', 1);
      return undefined;
    case 'f':
      scan.state = literal('false', 1);
      return undefined;
    case 'n':
      scan.state = literal('null', 1);
      return undefined;
    default:
      if (!isDigit(byte)) return 'looking for beginning of value';
      scan.state = inInteger;
      return undefined;
  }
}

function beginValueOrEmpty(scan: Scan, byte: number): string | undefined {
  if (SPACES.has(byte)) return undefined;
  return byte === 0x5d ? endValue(scan, byte) : beginValue(scan, byte);
}

function beginKeyOrEmpty(scan: Scan, byte: number): string | undefined {
  if (SPACES.has(byte)) return undefined;
  if (byte !== 0x7d) return beginKey(scan, byte);
  scan.open[scan.open.length - 1] = 'value';
  return endValue(scan, byte);
}

function beginKey(scan: Scan, byte: number): string | undefined {
  if (SPACES.has(byte)) return undefined;
  if (byte !== QUOTE) return 'looking for beginning of object key string';
  scan.state = inString;
  return undefined;
}

/** Behind a value or key: what may follow depends on what is open. */
function endValue(scan: Scan, byte: number): string | undefined {
  const open = scan.open.at(-1);
  if (open === undefined) {
    scan.state = endTop;
    return endTop(scan, byte);
  }
  if (SPACES.has(byte)) {
    scan.state = endValue;
    return undefined;
  }
  if (open === 'key') {
    if (byte !== 0x3a) return 'after object key';
    scan.open[scan.open.length - 1] = 'value';
    scan.state = beginValue;
    return undefined;
  }
  if (byte === 0x2c) {
    if (open === 'value') scan.open[scan.open.length - 1] = 'key';
    scan.state = open === 'value' ? beginKey : beginValue;
    return undefined;
  }
  if (byte !== (open === 'value' ? 0x7d : 0x5d))
    return open === 'value' ? 'after object key:value pair' : 'after array element';
  scan.open.pop();
  scan.state = scan.open.length === 0 ? endTop : endValue;
  return undefined;
}

function endTop(_scan: Scan, byte: number): string | undefined {
  return SPACES.has(byte) ? undefined : 'after top-level value';
}

function inString(scan: Scan, byte: number): string | undefined {
  if (byte === QUOTE) scan.state = endValue;
  else if (byte === BACKSLASH) scan.state = inEscape;
  else if (byte < 0x20) return 'in string literal';
  return undefined;
}

function inEscape(scan: Scan, byte: number): string | undefined {
  if (byte === 0x75) scan.state = inUnicode(4);
  else if ('bfnrt\\/"'.includes(String.fromCharCode(byte))) scan.state = inString;
  else return 'in string escape code';
  return undefined;
}

function inUnicode(left: number): State {
  return (scan, byte) => {
    if (!/[0-9a-fA-F]/.test(String.fromCharCode(byte))) return String.raw`in \u hexadecimal character escape`;
    scan.state = left === 1 ? inString : inUnicode(left - 1);
    return undefined;
  };
}

function afterMinus(scan: Scan, byte: number): string | undefined {
  if (!isDigit(byte)) return 'in numeric literal';
  scan.state = byte === 0x30 ? afterZero : inInteger;
  return undefined;
}

function inInteger(scan: Scan, byte: number): string | undefined {
  return isDigit(byte) ? undefined : afterZero(scan, byte);
}

function afterZero(scan: Scan, byte: number): string | undefined {
  if (byte === 0x2e) scan.state = afterPoint;
  else if (byte === 0x65 || byte === 0x45) scan.state = afterExponent;
  else return endValue(scan, byte);
  return undefined;
}

function afterPoint(scan: Scan, byte: number): string | undefined {
  if (!isDigit(byte)) return 'after decimal point in numeric literal';
  scan.state = inFraction;
  return undefined;
}

function inFraction(scan: Scan, byte: number): string | undefined {
  if (isDigit(byte)) return undefined;
  if (byte !== 0x65 && byte !== 0x45) return endValue(scan, byte);
  scan.state = afterExponent;
  return undefined;
}

function afterExponent(scan: Scan, byte: number): string | undefined {
  if (byte === 0x2b || byte === 0x2d) {
    scan.state = afterSign;
    return undefined;
  }
  return afterSign(scan, byte);
}

function afterSign(scan: Scan, byte: number): string | undefined {
  if (!isDigit(byte)) return 'in exponent of numeric literal';
  scan.state = inExponent;
  return undefined;
}

function inExponent(scan: Scan, byte: number): string | undefined {
  return isDigit(byte) ? undefined : endValue(scan, byte);
}

function literal(word: string, at: number): State {
  return (scan, byte) => {
    if (byte !== word.charCodeAt(at)) return `in literal ${word} (expecting '${word[at]}')`;
    scan.state = at + 1 === word.length ? endValue : literal(word, at + 1);
    return undefined;
  };
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
