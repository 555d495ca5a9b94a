/** Elements in one expression. The page's policy forbids inline styles and scripts: none here. */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [attributes] functions are listeners (`click`, `input` ...),
 *     true is a bare attribute, false and null leave it out
 * @param {...(Node | string | null | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name, /** @type {EventListener} */ (value));
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  for (const child of children) {
    if (child !== null && child !== false) element.append(child);
  }
  return element;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value null removes it
 */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * @param {HTMLMediaElement} element
 * @param {(MediaStreamTrack | null | undefined)[]} tracks what it is to play
 */
export function setTracks(element, tracks) {
  const wanted = /** @type {MediaStreamTrack[]} */ (tracks.filter(Boolean));
  const current = element.srcObject instanceof MediaStream ? element.srcObject.getTracks() : [];
  const same = wanted.length === current.length && wanted.every((track) => current.includes(track));
  if (same) return;
  element.srcObject = wanted.length > 0 ? new MediaStream(wanted) : null;
}
