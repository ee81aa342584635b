// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('deterministic ones', [
  [
    '{{derivePassword 1 "long" "password" "user" "example.com"}} {{derivePassword 1 "pin" "password" "user" "example.com"}} {{derivePassword 2 "maximum" "p" "u" "s"}} {{derivePassword 1 "nope" "p" "u" "s"}}',
    'ZedaFaxcZaso9* 6685 GVrMlwPINBRhIcQLa58% cannot find password template nope',
  ],
  ['{{decryptAES "secretkey" "30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ="}}', 'plaintext'],
  [
    '{{decryptAES "k" "bad"}}',
    'error: template: t:1:2: executing "t" at <decryptAES "k" "bad">: error calling decryptAES: illegal base64 data at input byte 0',
  ],
  ['{{decryptAES "k" ""}}|{{encryptAES "k" ""}}|', '||'],
  [
    '{{decryptAES "k" "YWJj"}}',
    'error: template: t:1:2: executing "t" at <decryptAES "k" "YWJj">: error calling decryptAES: runtime error: slice bounds out of range [:16] with capacity 3',
  ],
  [
    '{{decryptAES "k" "AAAAAAAAAAAAAAAAAAAAAA=="}}',
    'error: template: t:1:2: executing "t" at <decryptAES "k" "AAAAAAAAAAAAAAAAAAAAAA==">: error calling decryptAES: runtime error: index out of range [-1]',
  ],
  [
    '{{decryptAES "k" "AAAAAAAAAAAAAAAAAAAAAAAA"}}',
    'error: template: t:1:2: executing "t" at <decryptAES "k" "AAAAAAAAAAAAAAAAAAAAAAAA">: error calling decryptAES: crypto/cipher: input not full blocks',
  ],
  ['{{htpasswd "a:b" "p"}}', 'invalid username: a:b'],
  ['{{genPrivateKey "nope"}}', 'Unknown type nope'],
  [
    '{{buildCustomCert "!" ""}}',
    'error: template: t:1:2: executing "t" at <buildCustomCert "!" "">: error calling buildCustomCert: unable to decode base64 certificate',
  ],
  [
    '{{buildCustomCert "" "!"}}',
    'error: template: t:1:2: executing "t" at <buildCustomCert "" "!">: error calling buildCustomCert: unable to decode base64 private key',
  ],
  [
    '{{buildCustomCert "" ""}}',
    'error: template: t:1:2: executing "t" at <buildCustomCert "" "">: error calling buildCustomCert: unable to decode certificate',
  ],
  [
    '{{genSelfSignedCert "x" (list "bad") nil 1}}',
    'error: template: t:1:2: executing "t" at <genSelfSignedCert "x" (list "bad") nil 1>: error calling genSelfSignedCert: error parsing ip: bad',
  ],
  [
    '{{genSelfSignedCert "x" (list 1) nil 1}}',
    'error: template: t:1:2: executing "t" at <genSelfSignedCert "x" (list 1) nil 1>: error calling genSelfSignedCert: error parsing ip: 1 is not a string',
  ],
  [
    '{{genSelfSignedCert "x" nil (list 1) 1}}',
    'error: template: t:1:2: executing "t" at <genSelfSignedCert "x" nil (list 1) 1>: error calling genSelfSignedCert: error processing alternate dns name: 1 is not a string',
  ],
  [
    '{{genCAWithKey "x" 1 "bad"}}',
    'error: template: t:1:2: executing "t" at <genCAWithKey "x" 1 "bad">: error calling genCAWithKey: parsing private key: no PEM data in input',
  ],
]);
