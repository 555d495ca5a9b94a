/** What the page remembers on this device. Storage may be forbidden: then it forgets. */

/** @param {string} key */
export function recall(key) {
  try {
    return localStorage.getItem(`moim.${key}`) ?? '';
  } catch {
    return '';
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
export function remember(key, value) {
  try {
    localStorage.setItem(`moim.${key}`, value);
  } catch {
    // A private window, or storage is full.
  }
}

/** What this tab remembers, over a reload, and nobody else: a token. */
export function recallToken() {
  try {
    return sessionStorage.getItem('moim.token') ?? '';
  } catch {
    return '';
  }
}

/** @param {string} token */
export function rememberToken(token) {
  try {
    sessionStorage.setItem('moim.token', token);
  } catch {
    // As above.
  }
}
