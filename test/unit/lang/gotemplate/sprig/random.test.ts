import { describe, expect, it } from 'vitest';
import { renderTemplate } from '../../../../support/render-template.ts';

describe('random functions', () => {
  it.each([
    ['{{randAlphaNum 40}}', /^[a-zA-Z0-9]{40}$/],
    ['{{randAlpha 40}}', /^[a-zA-Z]{40}$/],
    ['{{randNumeric 40}}', /^[0-9]{40}$/],
    ['{{randAscii 40}}', /^[ -~]{40}$/],
    ['{{randBytes 3}}', /^[A-Za-z0-9+/]{4}$/],
    ['{{uuidv4}}', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
    ['{{randInt 5 7}}', /^[56]$/],
    ['{{randAlpha 0}}|{{randAlpha -1}}', /^\|$/],
    ['{{htpasswd "u" "p"}}', /^u:\$2a\$10\$[./A-Za-z0-9]{53}$/],
    ['{{$x := encryptAES "key" "text"}}{{decryptAES "key" $x}}', /^text$/],
    ['{{now}} {{now.Year}}', /^2026-01-02 03:04:05 \+0000 UTC 2026$/],
    ['{{ago (toDate "2006-01-02" "2026-01-01")}} {{durationRound (toDate "2006-01-02" "2026-01-01")}}', /^27h4m5s 1d$/],
    ['{{getHostByName "localhost"}}|', /^\|$/],
  ])('%s', (template, expected) => {
    expect(renderTemplate(template)).toMatch(expected);
  });

  it('shuffle keeps the letters', () => {
    expect([...renderTemplate('{{shuffle "aäbcd"}}')].sort().join('')).toBe('abcdä');
  });

  it('randInt refuses an empty range', () => {
    expect(renderTemplate('{{randInt 5 5}}')).toContain('invalid argument to Intn');
  });
});
