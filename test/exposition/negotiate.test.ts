/** Results of negotiation with the headers of Prometheus servers and of other clients. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { negotiate } from 'metheus/http';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
const TEXT_1 = 'text/plain; version=1.0.0; charset=utf-8; escaping=';
const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=';
const OLD_OPENMETRICS = 'application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores';

describe('negotiate', () => {
  const headers: readonly (readonly [
    what: string,
    header: string | null | undefined,
    contentType: string,
  ])[] = [
    [
      'Prometheus 2.42',
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      `${OPENMETRICS}underscores`,
    ],
    [
      'Prometheus 3',
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      `${OPENMETRICS}allow-utf-8`,
    ],
    [
      'Prometheus 3 with text first and names escaped',
      'text/plain;version=1.0.0;escaping=dots;q=0.5,text/plain;version=0.0.4;q=0.4,application/openmetrics-text;version=1.0.0;escaping=dots;q=0.3,*/*;q=0.2',
      `${TEXT_1}dots`,
    ],
    ['a scheme for names by their numbers', 'text/plain; version=1.0.0; escaping=values', `${TEXT_1}values`],
    ['a scheme that is none', 'text/plain; version=1.0.0; escaping=rot13', `${TEXT_1}underscores`],
    ['the scheme of something else', 'image/png; escaping=dots, text/plain;q=0.5', TEXT],
    ['Prometheus from before OpenMetrics', 'text/plain;version=0.0.4;q=1,*/*;q=0.1', TEXT],
    ['OpenMetrics without a version', 'application/openmetrics-text', OLD_OPENMETRICS],
    ['OpenMetrics of a version to come', 'application/openmetrics-text; version=2.0.0', TEXT],
    ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', TEXT],
    ['curl', '*/*', TEXT],
    ['any text', 'text/*', TEXT],
    [
      'a wildcard beside something',
      '*/*, application/openmetrics-text; version=1.0.0',
      `${OPENMETRICS}underscores`,
    ],
    ['what is first of equals', 'text/plain, application/openmetrics-text; version=1.0.0', TEXT],
    [
      'other spelling',
      ' Application/OpenMetrics-Text ; Version = "1.0.0" ; Q=0.5 ',
      `${OPENMETRICS}underscores`,
    ],
    ['a weight of nothing', 'application/openmetrics-text; version=1.0.0; q=0', TEXT],
    ['a weight that is none', 'application/openmetrics-text; version=1.0.0; q=high', TEXT],
    ['nothing', '', TEXT],
    ['no header', undefined, TEXT],
    ['no header of a Request', null, TEXT],
    ['rubbish', ';;;=,,q=1;"', TEXT],
    ['a parameter twice: the last', 'text/plain; version=0.0.4; version=1.0.0', `${TEXT_1}underscores`],
    ['a weight twice: the last', 'application/openmetrics-text; version=1.0.0; q=1; q=0', TEXT],
    ['capitals', 'APPLICATION/OPENMETRICS-TEXT;VERSION=1.0.0;ESCAPING=dots', `${OPENMETRICS}dots`],
    ['a name that every object has', 'constructor; __proto__=1, text/plain; constructor=1', TEXT],
    [
      'more than anybody means',
      `${'text/html,'.repeat(1e6)}application/openmetrics-text;version=1.0.0`,
      TEXT,
    ],
    ['other types only', 'application/json', TEXT],
  ];
  for (const [what, header, contentType] of headers) {
    it(what, () => {
      const agreed = negotiate(header);
      assert.equal(agreed.contentType, contentType);
      assert.equal(agreed.format, contentType.startsWith('text/') ? 'text' : 'openmetrics');
      assert.equal(agreed.escaping, contentType.split('escaping=')[1]);
    });
  }
});
