import { describe, expect, it } from 'vitest';
import { isExempt } from '../../../../src/remote/internal/no-proxy.ts';

describe('isExempt', () => {
  it.each([
    ['http://localhost/', '', true],
    ['http://127.0.0.9/', '', true],
    ['http://[::1]/', '', true],
    ['http://git.example.com/', '', false],
    ['http://git.example.com/', '*', true],
    ['http://git.example.com/', 'example.com', true],
    ['http://example.com/', 'example.com', true],
    ['http://example.com/', '.example.com', false],
    ['http://git.example.com/', '.example.com', true],
    ['http://git.example.com/', '*.example.com', true],
    ['http://evilexample.com/', 'example.com', false],
    ['http://GIT.example.com/', 'Git.Example.com', true],
    ['https://git.example.com/', 'git.example.com:443', true],
    ['https://git.example.com/', 'git.example.com:8443', false],
    ['http://10.1.2.3/', '10.0.0.0/8', true],
    ['http://11.1.2.3/', '10.0.0.0/8', false],
    ['http://10.1.2.3/', ' other , 10.1.0.0/16', true],
    ['http://10.1.2.3/', '10.0.0.0/33', false],
    ['http://10.1.2.3/', '10.1.2.3', true],
    ['http://10.1.2.3:8080/', '10.1.2.3:8080', true],
    ['http://110.1.2.3/', '10.1.2.3', false],
    ['http://[fd00::5]/', 'fd00::/8', true],
    ['http://[fe00::5]/', 'fd00::/8', false],
    ['http://[fd00::5]/', 'fd00::5', true],
    ['http://[fd00::5]:81/', '[fd00::5]:81', true],
    ['http://ten.example/', '10.0.0.0/8', false],
  ])('%s with NO_PROXY=%s: %s', (url, none, want) => {
    expect(isExempt(new URL(url), none)).toBe(want);
  });
});
