/** A name for a new room: easy to say, hard to guess. */

const FIRST = (
  'amber azure bold brave bright calm clear cool coral crisp dawn deep early eager fair fine '
  + 'fresh gentle glad golden grand green happy honest jade kind light lively lucky mellow mild '
  + 'misty neat noble north olive open pale plain proud quick quiet rapid rosy royal sandy '
  + 'sharp silent silver simple smart snowy soft solid south spring steady sunny swift tidy '
  + 'warm wise young').split(' ');
const SECOND = (
  'acorn apple arch bay beach birch bridge brook canyon cedar cloud coast comet cove crane '
  + 'creek delta dune elm falcon fern field finch fjord garden glade grove harbor heron hill '
  + 'island ivy lake lantern lark leaf lotus maple meadow moon moss oak orchid otter palm path '
  + 'pear pine plum pond reed ridge river robin sail shore sparrow star stone stream valley '
  + 'willow wren').split(' ');

/** @param {(limit: number) => number} [pick] a whole number below the limit */
export function roomName(pick = chance) {
  const digits = String(pick(10000)).padStart(4, '0');
  return `${FIRST[pick(FIRST.length)]}-${SECOND[pick(SECOND.length)]}-${digits}`;
}

/** @param {number} limit */
function chance(limit) {
  return crypto.getRandomValues(new Uint32Array(1))[0] % limit;
}
