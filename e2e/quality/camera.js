/**
 * A camera whose picture costs bits: clouds that drift, with noise over them. Chromium's own
 * made-up camera is so plain that an encoder hardly needs a tenth of what it may spend.
 */

import { open } from 'node:fs/promises';

const FRAMES = 40; // and again from the first
const CELL = 16; // luma samples from one support of the clouds to the next
const NOISE = 12;
const RANDOM = { seed: 20, next: nextOf };

/** A linear congruential generator: the same picture each time. */
function nextOf() {
  RANDOM.seed = (Math.imul(RANDOM.seed, 1664525) + 1013904223) >>> 0;
  return RANDOM.seed >>> 8;
}

/**
 * @param {number} width
 * @param {number} height
 */
function cloudsOf(width, height) {
  const columns = Math.ceil(width / CELL) + 1;
  const supports = Uint8Array.from({ length: columns * (Math.ceil(height / CELL) + 1) }, () =>
    RANDOM.next() & 0xff);
  const clouds = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const down = (y % CELL) / CELL;
    for (let x = 0; x < width; x += 1) {
      const right = (x % CELL) / CELL;
      const at = Math.floor(y / CELL) * columns + Math.floor(x / CELL);
      const above = supports[at] * (1 - right) + supports[at + 1] * right;
      const below = supports[at + columns] * (1 - right) + supports[at + columns + 1] * right;
      clouds[y * width + x] = above * (1 - down) + below * down;
    }
  }
  return clouds;
}

/**
 * Writes it as YUV4MPEG2, which `--use-file-for-fake-video-capture` takes.
 * @param {string} file
 * @param {{ width: number, height: number, fps: number }} camera even sizes
 */
export async function writeCamera(file, { width, height, fps }) {
  const clouds = cloudsOf(2 * width, height);
  const colours = Buffer.alloc((width * height) / 2, 128);
  const luma = Buffer.alloc(width * height);
  const out = await open(file, 'w');
  await out.write(`YUV4MPEG2 W${width} H${height} F${fps}:1 Ip A1:1 C420jpeg\n`);
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const shift = Math.round((width * Math.abs(frame - FRAMES / 2)) / (FRAMES / 2) / 4);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        luma[y * width + x] = clouds[y * 2 * width + x + shift] * 0.8 + (RANDOM.next() % NOISE);
      }
    }
    await out.write('FRAME\n');
    await out.write(luma);
    await out.write(colours);
  }
  await out.close();
}
