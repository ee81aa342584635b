// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('encodings', [
  [
    '{{b64enc "héy"}} {{b64dec "aMOpeQ=="}} {{b32enc "hello!"}} {{b32dec "NBSWY3DPEE======"}}',
    'aMOpeQ== héy NBSWY3DPEE====== hello!',
  ],
  [
    '{{b64dec "a"}}|{{b64dec "aGk"}}|{{b64dec "aGk=x"}}|{{b64dec "a-b="}}|{{b64dec "="}}|{{b64dec "aG\\nk="}}',
    'illegal base64 data at input byte 0|illegal base64 data at input byte 0|illegal base64 data at input byte 4|illegal base64 data at input byte 1|illegal base64 data at input byte 0|hi',
  ],
  [
    '{{b32dec "a"}}|{{b32dec "MY"}}|{{b32dec "MY=====x"}}|{{b32dec "M======="}}',
    'illegal base32 data at input byte 0|illegal base32 data at input byte 0|illegal base32 data at input byte 6|illegal base32 data at input byte 1',
  ],
  [
    '{{sha1sum "a"}} {{sha256sum "a"}} {{adler32sum "hello"}}',
    '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8 ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb 103547413',
  ],
  [
    '{{sha512sum ""}}',
    'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
  ],
]);
