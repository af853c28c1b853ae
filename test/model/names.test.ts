/** Names of metrics and labels. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkHelp, checkLabelNames, checkMetricName } from '#metheus/model/names.js';

describe('checkMetricName', () => {
  for (const name of ['a', 'http_requests_total', '_', ':', 'job:rate5m', 'A9']) {
    it(`accepts ${name}`, () => checkMetricName(name));
  }
  for (const name of ['', '9a', 'a-b', 'a.b', 'a b', 'é', 'a\n', 'a{', 3, null, undefined, ['a']]) {
    it(`refuses ${JSON.stringify(name)}`, () =>
      assert.throws(() => checkMetricName(name), { code: 'METHEUS_INVALID_METRIC_NAME' }));
  }
  it('names the given value and the rule in the error', () => {
    assert.throws(() => checkMetricName('http-requests'), {
      message:
        "Invalid metric name: given 'http-requests', expected a name that matches ^[a-zA-Z_:][a-zA-Z0-9_:]*$, or any well-formed text where utf8Names is true.",
    });
  });
});

describe('checkHelp', () => {
  it('accepts any string', () => checkHelp('m', ''));
  for (const help of [undefined, null, 3, {}, ['help']]) {
    it(`refuses ${JSON.stringify(help)}`, () =>
      assert.throws(() => checkHelp('m', help), { code: 'METHEUS_INVALID_HELP' }));
  }
  it('names the metric in the error', () => {
    assert.throws(() => checkHelp('m', 3), {
      message: "Invalid help: given 3 for metric 'm', expected a string that says what the metric counts.",
    });
  });
});

describe('checkLabelNames', () => {
  it('accepts names, including those of properties that every object inherits', () => {
    checkLabelNames('m', ['a', '_a', 'A9', 'constructor', 'toString', 'hasOwnProperty']);
    checkLabelNames('m', []);
  });
  for (const name of ['', '9a', 'a-b', 'a:b', 'é', 'a\n', 3, null, undefined]) {
    it(`refuses ${JSON.stringify(name)}`, () =>
      assert.throws(() => checkLabelNames('m', [name]), { code: 'METHEUS_INVALID_LABEL_NAME' }));
  }
  for (const name of ['__x', '__name__', '__proto__', 'le', 'quantile']) {
    it(`refuses the reserved name ${name}`, () =>
      assert.throws(() => checkLabelNames('m', ['a', name]), {
        code: 'METHEUS_RESERVED_LABEL_NAME',
        message:
          `Reserved label name: given '${name}' on metric 'm', expected a name that does not start with '__' ` +
          "and is neither 'le' nor 'quantile'.",
      }));
  }
  it('refuses a name that comes twice', () => {
    assert.throws(() => checkLabelNames('m', ['a', 'b', 'a']), {
      code: 'METHEUS_DUPLICATE_LABEL_NAME',
      message: "Duplicate label name: given 'a' on metric 'm', expected each label name once.",
    });
  });
  it('names the rule in the error', () => {
    assert.throws(() => checkLabelNames('m', ['a:b']), {
      message:
        "Invalid label name: given 'a:b' on metric 'm', expected a name that matches ^[a-zA-Z_][a-zA-Z0-9_]*$, or any well-formed text where utf8Names is true.",
    });
  });
});
