// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('dates', [
  [
    '{{date "2006-01-02 15:04" 1700000000}} {{date "Jan 2" (int64 0)}} {{htmlDate 86400}}',
    '2023-11-14 22:13 Jan 1 1970-01-02',
  ],
  [
    '{{dateInZone "15:04 MST" 1700000000 "America/New_York"}} {{dateInZone "15:04 MST" 1700000000 "nope"}} {{htmlDateInZone 0 "Asia/Tokyo"}}',
    '17:13 EST 22:13 UTC 1970-01-01',
  ],
  [
    '{{toDate "2006-01-02" "2020-02-29"}} {{toDate "2006" "x"}}',
    '2020-02-29 00:00:00 +0000 UTC 0001-01-01 00:00:00 +0000 UTC',
  ],
  [
    '{{mustToDate "2006" "x"}}',
    'error: template: t:1:2: executing "t" at <mustToDate "2006" "x">: error calling mustToDate: parsing time "x" as "2006": cannot parse "x" as "2006"',
  ],
  [
    '{{(toDate "2006-01-02" "2020-02-29" | dateModify "-24h").Day}} {{toDate "2006-01-02" "2020-02-29" | dateModify "bad" | unixEpoch}}',
    '28 1582934400',
  ],
  [
    '{{toDate "2006" "2020" | mustDateModify "bad"}}',
    'error: template: t:1:25: executing "t" at <mustDateModify "bad">: error calling mustDateModify: time: invalid duration "bad"',
  ],
  [
    '{{duration 95}} {{duration "95"}} {{duration (int64 3661)}} {{durationRound "26h"}} {{durationRound "-400h"}} {{durationRound (int64 1500000000)}} {{durationRound "1h"}} {{durationRound 5}}',
    '0s 1m35s 1h1m1s 1d 16d 1s 60m 0s',
  ],
  [
    '{{(toDate "2006-01-02" "2020-02-29").Format "Monday"}} {{(toDate "2006-01-02" "2020-02-29").Month}} {{((toDate "2006-01-02" "2020-01-31").AddDate 0 1 0)}} {{(toDate "2006-01-02" "2020-02-29").YearDay}}',
    'Saturday February 2020-03-02 00:00:00 +0000 UTC 60',
  ],
]);
