// Owns small charts for suites of HelmReleases, as files of a Git repository.
import type { JsonObject } from '../../src/lib/json.ts';
import { jobYaml } from './build.ts';
import type { FileChanges } from './git.ts';

/** A chart of one ConfigMap whose data is the values; `more` are further files of the chart. */
export function configChart(version: string, more: Readonly<Record<string, string>> = {}): FileChanges {
  const files: Record<string, string> = {
    'Chart.yaml': `apiVersion: v2\nname: config\nversion: ${version}\nappVersion: "1"\n`,
    'values.yaml': 'color: blue\n',
    'templates/config.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  color: {{ .Values.color | quote }}
  chart: {{ .Chart.Version }}
`,
    ...more,
  };
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`chart/${name}`, text]));
}

/** A HelmRelease of the chart in a GitRepository. */
export function helmRelease(
  name: string,
  source: string,
  spec: JsonObject = {},
  metadata: JsonObject = {},
): JsonObject {
  return {
    apiVersion: 'helm.toolkit.fluxcd.io/v2',
    kind: 'HelmRelease',
    metadata: { name, ...metadata },
    spec: {
      interval: '1h',
      chart: {
        spec: {
          chart: './chart',
          interval: '1h',
          sourceRef: { kind: 'GitRepository', name: source },
        },
      },
      ...spec,
    },
  };
}

/** A test whose Pod runs the image that the values name. */
const testPod = `apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations:
    helm.sh/hook: test
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: {{ .Values.testImage | default "checker" }}
`;

/** Files of the chart that `helm` is asked about: notes, a hook, a test. */
export const talkativeFiles: Readonly<Record<string, string>> = {
  'templates/NOTES.txt': 'Color is {{ .Values.color }}.\n',
  'templates/hook.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-hook
  annotations:
    helm.sh/hook: pre-install,pre-upgrade,pre-rollback
    helm.sh/hook-delete-policy: before-hook-creation
data:
  revision: "{{ .Release.Revision }}"
`,
  'templates/test.yaml': testPod,
};

/** Files that break when the values say so: in a template, at the API, in a hook, in a test, or by never getting ready. */
export const fragileFiles: Readonly<Record<string, string>> = {
  'templates/fragile.yaml': `{{ if eq (.Values.breaks | default "") "template" }}
{{ fail "as you wish" }}
{{ end }}
{{ if eq (.Values.breaks | default "") "api" }}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-broken
spec:
  ports:
  - port: 99999
{{ end }}
`,
  'templates/hook.yaml': `{{ with .Values.hookImage }}
${jobYaml('{{ $.Release.Name }}-hook', '{{ . }}', { 'helm.sh/hook': 'pre-install,pre-upgrade' })}{{ end }}
`,
  'templates/test.yaml': testPod,
  'templates/deployment.yaml': `{{ with .Values.image }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $.Release.Name }}
spec:
  selector:
    matchLabels:
      app: {{ $.Release.Name }}
  template:
    metadata:
      labels:
        app: {{ $.Release.Name }}
    spec:
      containers:
      - name: main
        image: {{ . }}
{{ end }}
`,
};
