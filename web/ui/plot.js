/**
 * A small live plot on a canvas: the last minutes, newest at the right. Colours are those of the
 * style sheet, so that light and dark need no second word.
 *
 * @typedef {object} Line
 * @property {(number | null)[]} values
 * @property {string} colour a custom property such as "--accent"
 * @property {boolean} [fill]
 * @property {boolean} [dashed]
 */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Line[]} lines
 * @param {number} floor the scale never ends below this value, or noise would look like mountains
 * @param {number} span how many values the width holds
 */
export function drawPlot(canvas, lines, floor, span) {
  const ratio = globalThis.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (width === 0) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const top = Math.max(floor, ...lines.flatMap((line) => line.values.map((value) => value ?? 0)));
  pen.strokeStyle = style.getPropertyValue('--line');
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(0, height - 0.5);
  pen.lineTo(width, height - 0.5);
  pen.stroke();
  for (const line of lines) drawLine(pen, line, { width, height, top, span }, style);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Line} line
 * @param {{ width: number, height: number, top: number, span: number }} frame
 * @param {CSSStyleDeclaration} style
 */
function drawLine(pen, line, frame, style) {
  const { width, height, top, span } = frame;
  const step = width / (span - 1);
  const first = span - line.values.length;
  const points = line.values
    .map((value, i) => ({ x: (first + i) * step, value }))
    .filter((point) => point.value !== null)
    .map(({ x, value }) => ({ x, y: height - 1 - ((value ?? 0) / top) * (height - 4) }));
  if (points.length < 2) return;
  const colour = style.getPropertyValue(line.colour);
  pen.beginPath();
  points.forEach(({ x, y }, i) => (i === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.lineJoin = 'round';
  pen.setLineDash(line.dashed ? [4, 3] : []);
  pen.stroke();
  pen.setLineDash([]);
  if (!line.fill) return;
  pen.lineTo(points[points.length - 1].x, height);
  pen.lineTo(points[0].x, height);
  pen.globalAlpha = 0.14;
  pen.fillStyle = colour;
  pen.fill();
  pen.globalAlpha = 1;
}
