// Owns Go's fmt: Sprintf with its verbs, flags and complaints, Sprint, Sprintln and the default form `%v` of any value.
import { type Directive, parseDirective } from './directive.ts';
import type { Budget } from './execution.ts';
import { fromBytes } from './gostring.ts';
import { formatNumber } from './strconv.ts';
import {
  GoComplex,
  GoInt,
  type GoMap,
  GoObject,
  type GoValue,
  listItems,
  sortedKeys,
  TypedMap,
  TypedSlice,
  typeName,
  typeOf,
} from './value.ts';
import {
  type Flags,
  NO_FLAGS,
  padText,
  printBoolean,
  printBytesHex,
  printFloat,
  printInteger,
  printString,
} from './verbs.ts';

/** Text length at which formatting stops when no budget says otherwise. */
const MAX_TEXT = 16 * 1024 * 1024;
/** Pieces of one text: shared subtrees can make a small value print endlessly. */
const MAX_PARTS = 2_000_000;

/** Go's `%v` of a value: `<nil>` for nil, `map[a:1]`, `[1 2]`. */
export function formatValue(value: GoValue): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return formatNumber(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      if (value instanceof GoInt) return value.value.toString();
      return new Printer(undefined).print(value);
  }
}

/** Go's fmt.Sprint: a space between operands when neither is a string. */
export function sprint(values: readonly GoValue[], budget?: Budget): string {
  if (values.length === 1) return formatValue(values[0]);
  const printer = new Printer(budget);
  let previousIsString = true;
  for (const [index, value] of values.entries()) {
    const isString = typeof value === 'string';
    if (index > 0 && !isString && !previousIsString) printer.write(' ');
    printer.print(value);
    previousIsString = isString;
  }
  return printer.text;
}

/** Go's fmt.Sprintln. */
export function sprintln(values: readonly GoValue[], budget?: Budget): string {
  const printer = new Printer(budget);
  for (const [index, value] of values.entries()) {
    if (index > 0) printer.write(' ');
    printer.print(value);
  }
  return `${printer.text}\n`;
}

/** Go's fmt.Sprintf. Width and precision are limited as in Go, the whole text by the budget. */
export function sprintf(format: string, values: readonly GoValue[], budget?: Budget): string {
  if (!format.includes('%') && values.length === 0) return format;
  const printer = new Printer(budget);
  printer.printf(format, values);
  return printer.text;
}

class Printer {
  readonly #parts: string[] = [];
  #length = 0;
  #flags: Flags = NO_FLAGS;
  readonly #budget: Budget | undefined;

  constructor(budget: Budget | undefined) {
    this.#budget = budget;
  }

  get text(): string {
    return this.#parts.join('');
  }

  write(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
    if (this.#parts.length > MAX_PARTS) throw new RangeError('value has too many parts to print');
    if (this.#budget) this.#budget.checkString(this.#length);
    else if (this.#length > MAX_TEXT) throw new RangeError('formatted text is too long');
  }

  /** The value by `%v`; returns the text so far. */
  print(value: GoValue): string {
    this.#flags = NO_FLAGS;
    this.#printArg(value, 'v');
    return this.text;
  }

  printf(format: string, values: readonly GoValue[]): void {
    let argument = 0;
    let reordered = false;
    let at = 0;
    for (;;) {
      const percent = format.indexOf('%', at);
      if (percent < 0) {
        this.write(format.slice(at));
        break;
      }
      this.write(format.slice(at, percent));
      const directive = parseDirective(format, percent + 1, argument, values);
      reordered ||= directive.reordered;
      this.write(directive.complaints);
      if (directive.verb === '') {
        this.write('%!(NOVERB)');
        argument = directive.argument;
        break;
      }
      at = directive.end;
      argument = this.#printDirective(directive, values);
    }
    if (!reordered && argument < values.length) this.#printExtra(values.slice(argument));
  }

  /** Prints one directive; returns the number of the next argument. */
  #printDirective({ verb, flags, argument, goodArgument }: Directive, values: readonly GoValue[]): number {
    if (verb === '%') this.write('%');
    else if (!goodArgument) this.write(`%!${verb}(BADINDEX)`);
    else if (argument >= values.length) this.write(`%!${verb}(MISSING)`);
    else {
      if (verb === 'v' || verb === 'w') {
        flags.sharpV = flags.sharp;
        flags.plusV = flags.plus;
        flags.sharp = false;
        flags.plus = false;
      }
      this.#flags = flags;
      this.#printArg(values[argument], verb);
      return argument + 1;
    }
    return argument;
  }

  #printExtra(values: readonly GoValue[]): void {
    this.#flags = NO_FLAGS;
    this.write('%!(EXTRA ');
    for (const [index, value] of values.entries()) {
      if (index > 0) this.write(', ');
      if (value === null || value === undefined) this.write('<nil>');
      else {
        this.write(`${typeName(value)}=`);
        this.#printArg(value, 'v');
      }
    }
    this.write(')');
  }

  #printArg(value: GoValue, verb: string): void {
    if (value === null || value === undefined) {
      if (verb === 'v' || verb === 'T') this.write(padText('<nil>', this.#flags));
      else this.#badVerb(value, verb);
    } else if (verb === 'T') this.write(printString(typeName(value), 's', this.#flags)!);
    else if (verb === 'p') this.#printPointer(value, verb);
    else this.#printValue(value, verb, 0);
  }

  #badVerb(value: GoValue, verb: string): void {
    if (value === null || value === undefined) this.write(`%!${verb}(<nil>)`);
    else {
      this.write(`%!${verb}(${typeName(value)}=`);
      this.#printValue(value, 'v', 0);
      this.write(')');
    }
  }

  /** Addresses mean nothing here; every pointer prints the same one. */
  #printPointer(value: GoValue, verb: string): void {
    const kind = typeOf(value)?.kind;
    const isPointer = kind === 'ptr' || kind === 'map' || kind === 'slice' || kind === 'func';
    if (isPointer && 'pvbodxX'.includes(verb)) this.write(padText('0xc000000000', this.#flags));
    else this.#badVerb(value, verb);
  }

  #printValue(value: GoValue, verb: string, depth: number): void {
    if (typeof value === 'string') this.#orBadVerb(printString(value, verb, this.#flags), value, verb);
    else if (typeof value === 'number') this.#orBadVerb(printFloat(value, verb, this.#flags), value, verb);
    else if (typeof value === 'boolean') this.#orBadVerb(printBoolean(value, verb, this.#flags), value, verb);
    else if (value === null || value === undefined) this.write(this.#flags.sharpV ? 'interface {}(nil)' : '<nil>');
    else this.#printObject(value, verb, depth);
  }

  #orBadVerb(text: string | undefined, value: GoValue, verb: string): void {
    if (text === undefined) this.#badVerb(value, verb);
    else this.write(text);
  }

  #printObject(value: object & GoValue, verb: string, depth: number): void {
    if (value instanceof GoInt) this.#orBadVerb(printInteger(value, verb, this.#flags), value, verb);
    else if (value instanceof Map) this.#printMap(value, verb, depth);
    else if (value instanceof Uint8Array) this.#printBytes(value, verb, depth);
    else if (value instanceof GoComplex) this.#printComplex(value, verb);
    else if (value instanceof GoObject) this.#printStruct(value, verb, depth);
    else if (Array.isArray(value)) this.#printList(value, value, verb, depth);
    else this.#printList(value, value.items, verb, depth);
  }

  #printComplex(value: GoComplex, verb: string): void {
    const real = printFloat(value.real, verb, this.#flags);
    const imaginary = printFloat(value.imaginary, verb, { ...this.#flags, plus: true });
    if (real === undefined || imaginary === undefined) this.#badVerb(value, verb);
    else this.write(`(${real}${imaginary}i)`);
  }

  #printBytes(bytes: Uint8Array, verb: string, depth: number): void {
    if (verb === 'x' || verb === 'X') this.write(printBytesHex(bytes, verb, this.#flags));
    else if (verb === 's' || verb === 'q') this.write(printString(fromBytes(bytes), verb, this.#flags)!);
    else if (this.#flags.sharpV)
      this.write(`[]byte{${Array.from(bytes, (byte) => `0x${byte.toString(16)}`).join(', ')}}`);
    else this.#printItems(listItems(bytes)!, verb, depth, '[', ']');
  }

  #printItems(items: readonly GoValue[], verb: string, depth: number, open: string, close: string): void {
    const separator = this.#flags.sharpV ? ', ' : ' ';
    this.write(open);
    for (let i = 0; i < items.length; i++) {
      if (i > 0) this.write(separator);
      this.#printValue(items[i], verb, depth + 1);
    }
    this.write(close);
  }

  #printList(list: GoValue, items: readonly GoValue[], verb: string, depth: number): void {
    if (!this.#flags.sharpV) this.#printItems(items, verb, depth, '[', ']');
    else if (list instanceof TypedSlice && list.isNil) this.write(`${typeName(list)}(nil)`);
    else this.#printItems(items, verb, depth, `${typeName(list)}{`, '}');
  }

  #printMap(map: GoMap, verb: string, depth: number): void {
    const { sharpV } = this.#flags;
    if (sharpV && map instanceof TypedMap && map.isNil) {
      this.write(`${typeName(map)}(nil)`);
      return;
    }
    this.write(sharpV ? `${typeName(map)}{` : 'map[');
    let separator = '';
    for (const key of sortedKeys(map)) {
      this.write(separator);
      separator = sharpV ? ', ' : ' ';
      this.#printValue(key, verb, depth + 1);
      this.write(':');
      this.#printValue(map.get(key), verb, depth + 1);
    }
    this.write(sharpV ? '}' : ']');
  }

  #printStruct(object: GoObject, verb: string, depth: number): void {
    const own = this.#flags.sharpV ? undefined : object.goString();
    const isPointer = object.type.kind === 'ptr';
    if (own !== undefined && 'vsxXq'.includes(verb)) this.write(printString(own, verb, this.#flags)!);
    else if (isPointer && depth > 0) this.#printPointer(object, verb);
    else {
      if (isPointer) this.write('&');
      if (this.#flags.sharpV) this.write(isPointer ? object.type.name.slice(1) : object.type.name);
      this.#printFields(object, verb, depth);
    }
  }

  #printFields(object: GoObject, verb: string, depth: number): void {
    const { sharpV, plusV } = this.#flags;
    let separator = '{';
    for (const [name, field] of object.fields()) {
      this.write(separator);
      separator = sharpV ? ', ' : ' ';
      if (plusV || sharpV) this.write(`${name}:`);
      this.#printValue(field, verb, depth + 1);
    }
    this.write(separator === '{' ? '{}' : '}');
  }
}
