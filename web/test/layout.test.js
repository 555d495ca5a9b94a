import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gridBoxes, stageBoxes } from '../layout.js';

const SIZES = [[1412, 720], [390, 690], [760, 320], [1000, 1000], [320, 480]];

const overlaps = (a, b) => a.x < b.x + b.width - 0.01 && b.x < a.x + a.width - 0.01
  && a.y < b.y + b.height - 0.01 && b.y < a.y + a.height - 0.01;

function assertSound(boxes, width, height) {
  for (const [i, box] of boxes.entries()) {
    assert.ok(box.width > 20 && box.height > 20, `too small: ${JSON.stringify(box)}`);
    assert.ok(box.x >= -0.01 && box.y >= -0.01, `outside: ${JSON.stringify(box)}`);
    assert.ok(box.x + box.width <= width + 0.01 && box.y + box.height <= height + 0.01,
      `outside ${width}x${height}: ${JSON.stringify(box)}`);
    for (const other of boxes.slice(i + 1)) assert.ok(!overlaps(box, other), 'two tiles overlap');
  }
}

test('1 to 16 tiles stay inside, apart and equal, on every kind of screen', () => {
  for (const [width, height] of SIZES) {
    for (let count = 1; count <= 16; count += 1) {
      const boxes = gridBoxes(width, height, count, 8);
      assert.equal(boxes.length, count);
      assertSound(boxes, width, height);
      for (const box of boxes) {
        assert.equal(box.width, boxes[0].width);
        assert.equal(box.height, boxes[0].height);
        const shape = box.width / box.height;
        assert.ok(shape < 16 / 9 + 0.01 && shape > 0.79, `shape ${shape}`);
      }
    }
  }
});

test('two stand side by side on a desk and one above the other on a phone', () => {
  const desk = gridBoxes(1412, 720, 2, 8);
  assert.equal(desk[0].y, desk[1].y);
  const phone = gridBoxes(390, 690, 2, 8);
  assert.equal(phone[0].x, phone[1].x);
});

test('nine make three by three on a desk', () => {
  const rows = new Set(gridBoxes(1412, 720, 9, 8).map((box) => Math.round(box.y)));
  assert.equal(rows.size, 3);
});

test('a shared screen takes the most of the stage and nothing overlaps', () => {
  for (const [width, height] of SIZES) {
    for (let people = 1; people <= 16; people += 1) {
      for (const screens of [1, 2]) {
        const boxes = stageBoxes(width, height, screens, people, 8);
        const area = boxes.screens.reduce((sum, box) => sum + box.width * box.height, 0);
        assert.ok(area > width * height * 0.45, `${width}x${height}, ${people}: ${area}`);
        assertSound([...boxes.screens, ...boxes.people], width, height);
      }
    }
  }
});

test('nothing to lay out is nothing', () => {
  assert.deepEqual(gridBoxes(0, 100, 3, 8), []);
  assert.deepEqual(gridBoxes(100, 100, 0, 8), []);
});
