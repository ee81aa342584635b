// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('versions', [
  [
    '{{semver "v1.2.3-rc.1+b"}} {{(semver "1.2").Patch}} {{(semver "v1.2.3").Original}} {{(semver "1.2.3").IncMinor}} {{((semver "1.2.3").LessThan (semver "1.3.0"))}}',
    '1.2.3-rc.1+b 0 v1.2.3 1.3.0 true',
  ],
  [
    '{{semver "x"}}',
    'error: template: t:1:2: executing "t" at <semver "x">: error calling semver: invalid semantic version',
  ],
  [
    '{{semverCompare ">=1.19-0" "v1.20.1-gke.1"}} {{semverCompare ">=1.19" "v1.20.1-gke.1"}} {{semverCompare "^0.2.3" "0.2.9"}} {{semverCompare "1.2.x || 2" "2.5.0"}}',
    'true false true true',
  ],
  [
    '{{semverCompare "bad" "1.0.0"}}',
    'error: template: t:1:2: executing "t" at <semverCompare "bad" "1.0.0">: error calling semverCompare: improper constraint: "bad"',
  ],
]);
