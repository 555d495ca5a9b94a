/** The icons: strokes on a grid of 24, coloured by the text around them. */

const PATHS = {
  mic: 'M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21',
  micOff: 'M9 9.2V11a3 3 0 0 0 4.6 2.5M15 10.5V6a3 3 0 0 0-5.8-1.1M5.5 11a6.5 6.5 0 0 0 10.2 5.3'
    + 'M18.5 11a6.4 6.4 0 0 1-.7 2.9M12 17.5V21M4 4l16 16',
  camera: 'M4.5 6.5h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2Z'
    + 'M15.5 10.6l4.6-2.8a.9.9 0 0 1 1.4.8v6.8a.9.9 0 0 1-1.4.8l-4.6-2.8',
  cameraOff: 'M9.5 6.5h4a2 2 0 0 1 2 2v4M15.5 15.5a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2'
    + 'M15.5 10.6l4.6-2.8a.9.9 0 0 1 1.4.8v6.8M4 4l16 16',
  screen: 'M4.5 4.5h15a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-15a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2Z'
    + 'M8.5 20h7M12 13.5v-6M9.3 10 12 7.3l2.7 2.7',
  hand: 'M8 12.5V6a1.5 1.5 0 0 1 3 0v5M11 10.5V4.5a1.5 1.5 0 0 1 3 0v6'
    + 'M14 11V6a1.5 1.5 0 0 1 3 0v8.5'
    + 'a6.5 6.5 0 0 1-6.5 6.5c-2.4 0-3.8-1-5-2.8L3.3 14.400a1.5 1.5 0 0 1 2.5-1.6L8 15.5',
  chat: 'M5 4.500h14a2.5 2.5 0 0 1 2.5 2.500v7.500a2.5 2.5 0 0 1-2.5 2.500h-7l-4.5 3.700v-3.700H5'
    + 'a2.5 2.5 0 0 1-2.5-2.500V7A2.5 2.5 0 0 1 5 4.500ZM7.5 9h9M7.5 12.500h5.5',
  leave: 'M14 4.500H7a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h7M10.5 12H21M17.5 8.5 21 12l-3.5 3.5',
  link: 'M10 14a4 4 0 0 0 5.7 0l3.6-3.600a4 4 0 0 0-5.7-5.700l-1.2 1.200M14 10a4 4 0 0 0-5.7 0'
    + 'l-3.6 3.600a4 4 0 0 0 5.7 5.700l1.2-1.2',
  stats: 'M4 20V4M4 20h16.500M8 15.500l3.5-4.5 3 2.500L20 7',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 5a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z'
    + 'M9 15a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z',
  close: 'M6 6l12 12M18 6 6 18',
  send: 'M4 12 20.5 4.5 15 20l-3.5-6.500L4 12ZM11.5 13.5 20.5 4.5',
  warning: 'M12 4 2.8 19.500h18.400L12 4ZM12 10v4.500M12 17.200v.1',
  sound: 'M4 14.500v-3a8 8 0 0 1 16 0v3M4 14.500a2 2 0 0 1 2-2h.500a1 1 0 0 1 1 1v4a1 1 0 0 1-1 1H6'
    + 'a2 2 0 0 1-2-2ZM20 14.500a2 2 0 0 0-2-2h-.500a1 1 0 0 0-1 1v4a1 1 0 0 0 1 1h.500'
    + 'a2 2 0 0 0 2-2Z',
  person: 'M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8ZM4.500 20.500c.7-3.600 3.800-6 7.500-6'
    + 's6.800 2.400 7.500 6',
  pin: 'M9 4h6M10 4v6l-3.500 4h11L14 10V4M12 14v6.500',
  check: 'M5 12.500l4.5 4.500L19 7.5',
};

/** @typedef {keyof typeof PATHS} IconName */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

/** The mark of the house: people around one table. */
export function logo() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 32 32');
  svg.setAttribute('class', 'logo');
  svg.setAttribute('aria-hidden', 'true');
  for (let i = 0; i < 6; i += 1) {
    const angle = (i / 6) * 2 * Math.PI - Math.PI / 2;
    const dot = document.createElementNS(SVG, 'circle');
    dot.setAttribute('cx', (16 + 10 * Math.cos(angle)).toFixed(2));
    dot.setAttribute('cy', (16 + 10 * Math.sin(angle)).toFixed(2));
    dot.setAttribute('r', i === 0 ? '4.6' : '3.4');
    if (i === 0) dot.setAttribute('class', 'logo-you');
    svg.append(dot);
  }
  return svg;
}
