import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fill, pickLanguage } from '../i18n.js';
import { en } from '../lang/en.js';
import { ko } from '../lang/ko.js';

const places = (sentence) => [...sentence.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

test('both languages have the same sentences with the same places to fill', () => {
  assert.deepEqual(Object.keys(ko).sort(), Object.keys(en).sort());
  for (const key of Object.keys(en)) {
    assert.notEqual(en[key], '', key);
    assert.notEqual(ko[key], '', key);
    assert.deepEqual(places(ko[key]), places(en[key]), key);
  }
});

test('the first language of the browser that we have is taken', () => {
  assert.equal(pickLanguage(['ko-KR', 'en-US']), 'ko');
  assert.equal(pickLanguage(['de-DE', 'KO']), 'ko');
  assert.equal(pickLanguage(['fr', 'de']), 'en');
  assert.equal(pickLanguage([]), 'en');
});

test('places are filled; an unknown place stays to be seen', () => {
  assert.equal(fill('{name} joined {x}', { name: 'Mina' }), 'Mina joined {x}');
});
