import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kustomizeBuild } from '../../../src/cli/kustomize.ts';
import { writeFiles } from '../../support/kustomize-binary.ts';

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n';
const FILES = {
  'app/kustomization.yaml': 'resources: [c.yaml, ../s.yaml]\n',
  'app/c.yaml': CONFIG_MAP,
  's.yaml': CONFIG_MAP.replace('c\n', 'b\n'),
};

async function run(
  files: Readonly<Record<string, string>>,
  args: readonly string[],
  after: (folder: string) => void = () => {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'kustomize-cli-'));
  try {
    writeFiles(folder, Object.entries(files));
    mkdirSync(join(folder, 'out'));
    let stdout = '';
    let stderr = '';
    const code = await kustomizeBuild(args, {
      cwd: folder,
      stdout: (text) => {
        stdout += text;
      },
      stderr: (text) => {
        stderr += text.replaceAll(folder, '');
      },
    });
    after(folder);
    return { code, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('kustomize build', () => {
  it('prints in the legacy order of the command line', async () => {
    const files = {
      'kustomization.yaml': 'resources: [o.yaml]\n',
      'o.yaml': `${CONFIG_MAP}---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n`,
    };

    expect(await run(files, [])).toEqual({
      code: 0,
      stdout: `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns\n---\n${CONFIG_MAP}`,
      stderr: '',
    });
  });

  it('keeps files inside unless told otherwise', async () => {
    const refused = await run(FILES, ['app']);
    const allowed = await run(FILES, ['--load-restrictor=LoadRestrictionsNone', 'app']);

    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain("security; file '/s.yaml' is not in or below '/app'");
    expect(allowed).toEqual({ code: 0, stdout: `${CONFIG_MAP.replace('c\n', 'b\n')}---\n${CONFIG_MAP}`, stderr: '' });
  });

  it('writes to a file or a directory', async () => {
    let written = '';
    let names: readonly string[] = [];
    const files = { 'kustomization.yaml': 'resources: [c.yaml]\n', 'c.yaml': CONFIG_MAP };

    const toFile = await run(files, ['-o', 'x.yaml'], (folder) => {
      written = readFileSync(join(folder, 'x.yaml'), 'utf8');
    });
    const toFolder = await run(files, ['-oout'], (folder) => {
      names = readdirSync(join(folder, 'out'));
    });

    expect([toFile.stdout, toFolder.stdout]).toEqual(['', '']);
    expect(written).toBe(CONFIG_MAP);
    expect(names).toEqual(['v1_configmap_c.yaml']);
  });

  it.each([
    [['a', 'b'], 'specify one path to kustomization.yaml'],
    [
      ['--load-restrictor', 'X'],
      'illegal flag value --load-restrictor X; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]',
    ],
    [['--foo'], 'unknown flag: --foo'],
    [['-z'], "unknown shorthand flag: 'z' in -z"],
    [['--output'], 'flag needs an argument: --output'],
    [['-o'], "flag needs an argument: 'o' in -o"],
    [['--enable-alpha-plugins'], '--enable-alpha-plugins is not supported: lockstep runs no other programs'],
    [['--enable-helm'], '--enable-helm is not available here: no chart renderer was given'],
    [
      ['none'],
      "must build at directory: not a valid directory: evalsymlink failure on 'none' : lstat /none: no such file or directory",
    ],
    [
      ['-o', 'no/such', '.'],
      "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory ''",
    ],
  ])('%j fails', async (args, message) => {
    expect(await run({}, args)).toEqual({ code: 1, stdout: '', stderr: `Error: ${message}\n` });
  });

  it('says that a remote resource is not available when nothing fetches it', async () => {
    const { stderr } = await run({ 'kustomization.yaml': 'resources: [https://example.com/a.yaml]\n' }, []);

    expect(stderr).toBe('Error: remote resources are not available here: https://example.com/a.yaml\n');
  });

  it('fetches what is missing and builds again', async () => {
    let stdout = '';
    const folder = mkdtempSync(join(tmpdir(), 'kustomize-cli-'));
    writeFiles(folder, [['kustomization.yaml', 'resources: [https://example.com/a.yaml]\n']]);

    const code = await kustomizeBuild([], {
      cwd: folder,
      stdout: (text) => {
        stdout += text;
      },
      stderr: () => {},
      fetch: async () => ({ file: () => ({ bytes: Buffer.from(CONFIG_MAP) }), repository: () => undefined }),
    });
    rmSync(folder, { recursive: true });

    expect({ code, stdout }).toEqual({ code: 0, stdout: CONFIG_MAP });
  });
});

describe('kustomize build --enable-helm', () => {
  it('tells charts what the flags say, unless their entries say something themselves', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kustomize-cli-'));
    writeFiles(folder, [
      ['kustomization.yaml', 'helmCharts:\n- {name: a}\n- {name: b, kubeVersion: v1, apiVersions: [x]}\n'],
    ]);
    const seen: unknown[] = [];

    const code = await kustomizeBuild(['--enable-helm', '--helm-kube-version=v9', '--helm-api-versions', 'y', '.'], {
      cwd: folder,
      stdout: () => {},
      stderr: () => {},
      renderChart: ({ chart }) => {
        seen.push([chart.name, chart.kubeVersion, chart.apiVersions]);
        return { manifests: CONFIG_MAP.replace('name: c', `name: ${chart.name}`) };
      },
    });
    rmSync(folder, { recursive: true });

    expect(code).toBe(0);
    expect(seen).toEqual([
      ['a', 'v9', ['y']],
      ['b', 'v1', ['x']],
    ]);
  });
});
