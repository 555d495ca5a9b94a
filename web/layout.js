/**
 * Where the tiles go: pure arithmetic on a box, so that it can be checked without a browser.
 *
 * @typedef {{ x: number, y: number, width: number, height: number }} Box in CSS pixels
 */

const WIDEST = 16 / 9; // what cameras give: wider would cut foreheads
const NARROWEST_WIDE = 1.2; // in a wide box; slimmer would cut shoulders
const NARROWEST_TALL = 0.8; // on an upright phone

/**
 * The largest equal tiles that fit, all rows centred.
 * @param {number} width
 * @param {number} height
 * @param {number} count
 * @param {number} gap
 * @returns {Box[]}
 */
export function gridBoxes(width, height, count, gap) {
  if (count <= 0 || width <= 0 || height <= 0) return [];
  let best = { area: -1, columns: 1, rows: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const tile = clampShape((width - gap * (columns - 1)) / columns,
      (height - gap * (rows - 1)) / rows, width > height ? NARROWEST_WIDE : NARROWEST_TALL);
    const area = tile.width * tile.height;
    if (area > best.area) best = { area, columns, rows, ...tile };
  }
  return rowsOf(width, height, count, gap, best);
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} narrowest
 */
function clampShape(width, height, narrowest) {
  const cell = { width: Math.max(0, width), height: Math.max(0, height) };
  if (cell.width > cell.height * WIDEST) cell.width = cell.height * WIDEST;
  if (cell.width < cell.height * narrowest) cell.height = cell.width / narrowest;
  return cell;
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} count
 * @param {number} gap
 * @param {{ columns: number, rows: number, width: number, height: number }} tile
 * @returns {Box[]}
 */
function rowsOf(width, height, count, gap, tile) {
  const boxes = [];
  const top = (height - tile.rows * tile.height - (tile.rows - 1) * gap) / 2;
  for (let i = 0; i < count; i += 1) {
    const row = Math.floor(i / tile.columns);
    const inRow = Math.min(tile.columns, count - row * tile.columns);
    const left = (width - inRow * tile.width - (inRow - 1) * gap) / 2;
    boxes.push({
      x: left + (i - row * tile.columns) * (tile.width + gap),
      y: top + row * (tile.height + gap),
      width: tile.width,
      height: tile.height,
    });
  }
  return boxes;
}

/**
 * Shared screens large, people in a strip beside them (wide box) or below them (tall box).
 * @param {number} width
 * @param {number} height
 * @param {number} screens how many are shared
 * @param {number} people
 * @param {number} gap
 * @returns {{ screens: Box[], people: Box[] }}
 */
export function stageBoxes(width, height, screens, people, gap) {
  if (screens === 0) return { screens: [], people: gridBoxes(width, height, people, gap) };
  const beside = width > height * 1.15;
  // With many people the strip takes a larger share, or their faces become too small to read.
  const share = people > 5 ? 0.3 : 0.22;
  const strip = beside ? Math.max(120, width * share) : Math.max(84, height * (share + 0.06));
  const main = beside
    ? { x: 0, y: 0, width: width - strip - gap, height }
    : { x: 0, y: 0, width, height: height - strip - gap };
  const side = beside
    ? { x: width - strip, y: 0, width: strip, height }
    : { x: 0, y: height - strip, width, height: strip };
  return {
    screens: split(main, screens, gap, beside),
    people: gridBoxes(side.width, side.height, people, gap)
      .map((box) => ({ ...box, x: box.x + side.x, y: box.y + side.y })),
  };
}

/**
 * A screen may have any shape, so its tile takes all the room that it can.
 * @param {Box} box
 * @param {number} count
 * @param {number} gap
 * @param {boolean} stacked
 * @returns {Box[]}
 */
function split(box, count, gap, stacked) {
  const width = stacked ? box.width : (box.width - gap * (count - 1)) / count;
  const height = stacked ? (box.height - gap * (count - 1)) / count : box.height;
  return Array.from({ length: count }, (_, i) => ({
    x: box.x + (stacked ? 0 : i * (width + gap)),
    y: box.y + (stacked ? i * (height + gap) : 0),
    width,
    height,
  }));
}
