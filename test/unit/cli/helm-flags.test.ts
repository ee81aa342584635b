import { describe, expect, it } from 'vitest';
import { helmTemplate } from '../../../src/cli/helm.ts';
import { parseTemplateFlags } from '../../../src/cli/helm-flags.ts';
import { recordIo } from '../../support/recorded-io.ts';

describe('parseTemplateFlags', () => {
  it('reads flags in any place and form', () => {
    const flags = parseTemplateFlags([
      ...['rel', '-n', 'ns', '--set=a=b,c=d', '--set', 'e=f', '-fx.yaml,y.yaml', '-f=z.yaml', 'chart'],
      ...['--include-crds', '--no-hooks=false', '-a', 'a/v1,b/v1', '--api-versions', 'c/v1', '-s', 'a,b'],
    ]);

    expect(flags).toMatchObject({
      args: ['rel', 'chart'],
      namespace: 'ns',
      set: ['a=b,c=d', 'e=f'],
      values: ['x.yaml', 'y.yaml', 'z.yaml'],
      includeCrds: true,
      noHooks: false,
      apiVersions: ['a/v1', 'b/v1', 'c/v1'],
      showOnly: ['a,b'],
      compat: 'helm3',
    });
  });

  it.each([
    [['--nope'], 'unknown flag: --nope'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['--set'], 'flag needs an argument: --set'],
    [
      ['--no-hooks=maybe'],
      'invalid argument "maybe" for "--no-hooks" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [['--compat', 'helm2'], 'invalid argument "helm2" for "--compat" flag: must be helm3 or helm4'],
  ])('refuses %j', (argv, message) => {
    expect(() => parseTemplateFlags(argv)).toThrow(message);
  });

  it('takes what follows -- as it is', () => {
    expect(parseTemplateFlags(['a', '--', '--set']).args).toEqual(['a', '--set']);
  });
});

describe('helmTemplate', () => {
  async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const io = recordIo('/');
    const code = await helmTemplate(argv, io);
    return { code, ...io.written() };
  }

  it.each([
    [[], 'Error: "helm template" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]\n'],
    [['a', 'b', 'c', 'd'], 'Error: expected at most two arguments, unexpected arguments: c, d\n'],
    [['r', './no-such-chart'], 'Error: path "./no-such-chart" not found\n'],
    [['r', 'repo/chart'], 'Error: repo repo not found\n'],
    [
      ['r', 'chart-without-slash'],
      'Error: non-absolute URLs should be in form of repo_name/path_to_chart, got: chart-without-slash\n',
    ],
    [['r', 'c', '--kube-version', '1'], 'Error: invalid kube version \'1\': illegal version string "1"\n'],
    [['r', 'oci://host/chart'], 'Error: chart "oci://host/chart" is not on disk, and this command fetches none\n'],
  ])('answers %j with an error alone', async (argv, stderr) => {
    expect(await run(...argv)).toEqual({ code: 1, stdout: '', stderr });
  });
});
