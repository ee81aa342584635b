// Expectations are the output of Go's text/template and sprig for the same template and data.
import { describeTemplates } from '../../../../support/template-rows.ts';

describeTemplates('snakecase, kebabcase and camelcase', [
  ['{{snakecase "FirstName"}} {{kebabcase "FirstName"}} {{camelcase "FirstName"}}', 'first_name first-name FirstName'],
  [
    '{{snakecase "HTTPServer"}} {{kebabcase "HTTPServer"}} {{camelcase "HTTPServer"}}',
    'http_server http-server Httpserver',
  ],
  ['{{snakecase "NoHTTPS"}} {{kebabcase "NoHTTPS"}} {{camelcase "NoHTTPS"}}', 'no_https no-https NoHTTPS'],
  ['{{snakecase "GO_PATH"}} {{kebabcase "GO_PATH"}} {{camelcase "GO_PATH"}}', 'go_path go-path GoPath'],
  ['{{snakecase "GO PATH"}} {{kebabcase "GO PATH"}} {{camelcase "GO PATH"}}', 'go_path go-path GoPath'],
  ['{{snakecase "http2xx"}} {{kebabcase "http2xx"}} {{camelcase "http2xx"}}', 'http_2xx http-2xx Http2xx'],
  [
    '{{snakecase "HTTP20xOK"}} {{kebabcase "HTTP20xOK"}} {{camelcase "HTTP20xOK"}}',
    'http_20x_ok http-20x-ok Http20xOK',
  ],
  [
    '{{snakecase "Duration2m3s"}} {{kebabcase "Duration2m3s"}} {{camelcase "Duration2m3s"}}',
    'duration_2m3s duration-2m3s Duration2m3s',
  ],
  [
    '{{snakecase "Bld4Floor3rd"}} {{kebabcase "Bld4Floor3rd"}} {{camelcase "Bld4Floor3rd"}}',
    'bld4_floor_3rd bld4-floor-3rd Bld4Floor3rd',
  ],
  ['{{snakecase "a1B2"}} {{kebabcase "a1B2"}} {{camelcase "a1B2"}}', 'a1_b2 a1-b2 A1B2'],
  [
    '{{snakecase "JSONData2XML"}} {{kebabcase "JSONData2XML"}} {{camelcase "JSONData2XML"}}',
    'json_data2_xml json-data2-xml Jsondata2XML',
  ],
  [
    '{{snakecase "_complex__case_"}} {{kebabcase "_complex__case_"}} {{camelcase "_complex__case_"}}',
    '_complex__case_ -complex--case- _Complex_Case_',
  ],
  ['{{snakecase "-"}} {{kebabcase "-"}} {{camelcase "-"}}', '_ - --'],
  ['{{snakecase "x"}} {{kebabcase "x"}} {{camelcase "x"}}', 'x x X'],
  [
    '{{snakecase "some words"}} {{kebabcase "some words"}} {{camelcase "some words"}}',
    'some_words some-words SomeWords',
  ],
  ['{{snakecase "ABC"}} {{kebabcase "ABC"}} {{camelcase "ABC"}}', 'abc abc Abc'],
  ['{{snakecase "a.b"}} {{kebabcase "a.b"}} {{camelcase "a.b"}}', 'a.b a.b A.b'],
  ['{{snakecase "éCole"}} {{kebabcase "éCole"}} {{camelcase "éCole"}}', 'é_cole é-cole ÉCole'],
  ['{{snakecase "名前Name"}} {{kebabcase "名前Name"}} {{camelcase "名前Name"}}', '名前_name 名前-name 名前Name'],
]);
