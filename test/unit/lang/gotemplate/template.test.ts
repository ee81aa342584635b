import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../../../src/lang/gotemplate/errors.ts';
import type { FunctionTable } from '../../../../src/lang/gotemplate/function.ts';
import { func, funcWith, method } from '../../../../src/lang/gotemplate/function.ts';
import { createExecution, createTemplateCache, createTemplateSet } from '../../../../src/lang/gotemplate/template.ts';
import {
  ANY,
  GoError,
  GoObject,
  type GoType,
  INT,
  MAP,
  STRING,
  TypedMap,
} from '../../../../src/lang/gotemplate/value.ts';
import { renderTemplate } from '../../../support/render-template.ts';
import { testHost } from '../../../support/template-host.ts';

const FUNCTIONS: FunctionTable = new Map([
  ['include', funcWith([STRING, ANY], (execution, name, data) => execution.templates.execute(name, data, execution))],
  [
    'tpl',
    funcWith([STRING, ANY], (execution, text, data) => {
      const templates = execution.templates.clone();
      templates.parse('inner', text);
      return templates.execute('inner', data, execution);
    }),
  ],
  ['count', funcWith([], (execution) => String(++(execution.context as { calls: number }).calls))],
  [
    'refuse',
    func([], () => {
      throw new GoError('refused');
    }),
  ],
  [
    'broken',
    func([], () => {
      throw new TypeError('a bug');
    }),
  ],
]);

function createSet(files: Readonly<Record<string, string>>) {
  const set = createTemplateSet(createTemplateCache(FUNCTIONS), { name: 'root' });
  for (const [name, text] of Object.entries(files)) set.parse(name, text);
  return set;
}

function run(set: ReturnType<typeof createSet>, name: string, data: string | null = null): string {
  return set.execute(name, data, createExecution(set, { host: testHost(), context: { calls: 0 } }));
}

describe('template sets', () => {
  it('share names over all files, the last definition winning unless it is empty', () => {
    const set = createSet({
      a: '{{define "x"}}1{{end}}',
      b: '{{define "x"}}2{{end}}',
      c: '{{define "x"}} {{end}}{{include "x" .}}',
    });

    expect(run(set, 'c')).toBe('2');
    expect(set.names()).toEqual(['x', 'a', 'b', 'c']);
    expect(set.has('y')).toBe(false);
  });

  it('name the template that is missing, and the set', () => {
    expect(() => run(createSet({}), 'none')).toThrow('template: no template "none" associated with template "root"');
  });

  it('keep what tpl defines out of the set, and see the set from inside', () => {
    const set = createSet({
      a: '{{define "x"}}outer{{end}}{{tpl "{{define \\"x\\"}}inner{{end}}{{include \\"x\\" .}}" .}} {{include "x" .}}',
    });

    expect(run(set, 'a')).toBe('inner outer');
  });

  it('give the functions one context for the whole rendering', () => {
    expect(run(createSet({ a: '{{count}}{{include "b" .}}{{tpl "{{count}}" .}}', b: '{{count}}' }), 'a')).toBe('123');
  });

  it('compile a text once per cache', () => {
    const cache = createTemplateCache(FUNCTIONS, { maxText: 100 });
    const first = cache.load('a', 'x');

    expect(cache.load('a', 'x')).toBe(first);
    expect(cache.load('b', 'x')).not.toBe(first);
    cache.load('c', 'y'.repeat(200));
    expect(cache.load('a', 'x')).not.toBe(first);
  });
});

describe('errors', () => {
  it('carry their place as data and what failed as their cause', () => {
    const set = createSet({ 'c/x.yaml': 'é\n  é{{include "e" .}}', e: '\n{{ refuse }}' });

    const error = catchError(() => run(set, 'c/x.yaml'));

    expect(error).toBeInstanceOf(TemplateError);
    expect(error).toMatchObject({
      code: 'TemplateExecution',
      data: { file: 'c/x.yaml', line: 2, column: 6, template: 'c/x.yaml', node: 'include "e" .' },
      message:
        'template: c/x.yaml:2:6: executing "c/x.yaml" at <include "e" .>: error calling include: ' +
        'template: e:2:3: executing "e" at <refuse>: error calling refuse: refused',
      cause: { data: { file: 'e', line: 2, column: 3 }, cause: { message: 'refused' } },
    });
  });

  it('say where a text does not parse', () => {
    const error = catchError(() => createSet({ 'c/x.yaml': 'a\n{{ if }}' }));

    expect(error).toMatchObject({
      code: 'TemplateParse',
      message: 'template: c/x.yaml:2: missing value for if',
      data: { file: 'c/x.yaml', line: 2, detail: 'missing value for if' },
    });
  });

  it('let bugs of functions through', () => {
    expect(catchError(() => run(createSet({ a: '{{ broken }}' }), 'a'))).toBeInstanceOf(TypeError);
  });
});

describe('types of the host', () => {
  const NAMED: GoType = {
    name: 'host.Values',
    kind: 'map',
    elem: ANY,
    underlying: MAP,
    methods: new Map([['Twice', method([INT], (_self: TypedMap, count) => count * 2)]]),
  };
  class Pointer extends GoObject {
    readonly type: GoType = { name: '*host.Thing', kind: 'ptr' };
    fields() {
      return [
        ['Name', 'n'],
        ['hidden', 1],
      ] as const;
    }
  }
  const data = new Map<string, TypedMap | Pointer>([
    ['v', new TypedMap(NAMED, [['a', 'x']])],
    ['p', new Pointer()],
  ]);
  const execute = (text: string) => {
    const set = createSet({ t: text });
    return set.execute('t', data, createExecution(set, { host: testHost(), context: undefined }));
  };

  it('have methods, fields and entries', () => {
    expect(execute('{{.v.Twice 4}} {{.v.a}} {{.v.none}}|{{.p.Name}}')).toBe('8 x <no value>|n');
    expect(execute('{{.p}} {{printf "%v %+v %#v %T" .p .p .p .p}}')).toBe(
      '{n 1} &{n 1} &{Name:n hidden:1} &host.Thing{Name:"n", hidden:1} *host.Thing',
    );
  });

  it.each([
    ['{{.v.Twice}}', 'wrong number of args for Twice: want 1 got 0'],
    ['{{.p.hidden}}', "can't evaluate field hidden in type interface {}"],
    ['{{$p := .p}}{{$p.None}}', "can't evaluate field None in type *host.Thing"],
    ['{{.p.Name 1}}', 'Name has arguments but cannot be invoked as function'],
  ])('%s fails', (text, message) => {
    expect(() => execute(text)).toThrow(message);
  });
});

describe('limits', () => {
  it.each([
    [
      '{{range 100}}{{end}}',
      { maxSteps: 50 },
      'template: t:1:8: executing "t" at <100>: template limit: more than 50 steps',
    ],
    [
      '{{repeat 11 "x"}}',
      { maxString: 10 },
      'error calling repeat: template limit: string of 11 characters exceeds 10',
    ],
    ['{{range 9}}xxx{{end}}', { maxOutput: 20 }, 'template limit: output exceeds 20 characters'],
    [
      '{{range 9}}{{$x := until 9}}{{end}}',
      { maxAllocation: 2000 },
      'template limit: values exceed 2000 characters in all',
    ],
    ['{{define "r"}}{{template "r"}}{{end}}{{template "r"}}', { maxDepth: 5 }, 'exceeded maximum template depth (5)'],
  ])('%s', (template, limits, message) => {
    expect(renderTemplate(template, null, limits)).toContain(message);
  });
});

function catchError(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
