/**
 * Rules of accessibility, asked of the browser: the names that its own accessibility tree has, the
 * colours that it computes, the boxes that it lays out, the order in which its Tab key goes.
 */

import assert from 'node:assert/strict';

const CONTROLS = new Set([
  'button',
  'textbox',
  'combobox',
  'link',
  'checkbox',
  'radio',
  'slider',
  'listbox',
  'searchbox',
]);
const NAMED = new Set([...CONTROLS, 'dialog', 'toolbar', 'complementary', 'log', 'meter', 'image']);
const TARGET_MIN = 24; // CSS pixels, WCAG 2.2 level AA
const THUMB_MIN = 40; // on a phone
const FOCUS_MAX = 60;

/**
 * Everything that can be used or stands for something has a name.
 * @param {import('./person.js').Person} person
 * @param {string} where
 */
export async function checkNames(person, where) {
  const session = await person.page.context().newCDPSession(person.page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  /** @type {{ role: string, name: string, level: number }[]} */
  const shown = nodes.filter(isShown).map(summary);
  const nameless = shown.filter(({ role, name }) => NAMED.has(role) && !name.trim());
  assert.deepEqual(nameless, [], `${where}: without a name`);
  // An open dialog hides all the rest, the page's heading too.
  const heads = shown.filter(({ role, level }) => role === 'heading' && level === 1);
  const dialogs = shown.filter(({ role }) => role === 'dialog');
  assert.equal(heads.length + dialogs.length, 1, `${where}: one heading of the first level`);
}

/** @param {any} node of the accessibility tree */
const isShown = (node) => !node.ignored;

/** @param {any} node of the accessibility tree */
function summary({ role, name, properties = [] }) {
  const level = properties.find((/** @type {any} */ each) => each.name === 'level');
  return { role: role?.value ?? '', name: name?.value ?? '', level: level?.value.value ?? 0 };
}

/**
 * All text stands out from what is behind it: 4.5 to 1, or 3 to 1 where it is large (WCAG AA).
 * Over a picture, which may be of any colour, both black and white are tried.
 * @param {import('./person.js').Person} person
 * @param {string} where
 */
export async function checkContrast(person, where) {
  await settle(person);
  assert.deepEqual(await person.ask(findPale), [], `${where}: too little contrast`);
}

/**
 * What is to be hit is large enough for that.
 * @param {import('./person.js').Person} person
 * @param {string} where
 */
export async function checkTargets(person, where) {
  await settle(person);
  const small = await person.ask(
    ([least, thumb]) => {
      const min = window.innerWidth < 600 ? thumb : least;
      return [...document.querySelectorAll('button, input, select, textarea, summary')]
        .filter((control) => control.checkVisibility({ visibilityProperty: true }))
        .map((control) => ({ control, box: control.getBoundingClientRect() }))
        .filter(({ box }) => box.width < min || box.height < min)
        .map(({ control, box }) => `${control.outerHTML.slice(0, 120)} ${box.width}x${box.height}`);
    },
    [TARGET_MIN, THUMB_MIN],
  );
  assert.deepEqual(small, [], `${where}: too small to hit`);
  const wide = await person.ask(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${where}: the page is ${wide} pixels wider than the window`);
}

/** Animations are over. @param {import('./person.js').Person} person */
function settle(person) {
  return person.ask(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getComputedTiming().iterations !== Infinity)
        .map((animation) => animation.finished.catch(() => {})),
    ).then(() => {}),
  );
}

/**
 * Presses Tab from the top of the page to its end, or to `goal`, and returns the hooks on the way.
 * Each stop must be visible and show that it is there.
 * @param {import('./person.js').Person} person
 * @param {string} [goal]
 * @returns {Promise<string[]>}
 */
export async function focusWalk(person, goal) {
  await person.ask(() => {
    const start = document.createElement('a');
    start.href = '#';
    document.body.prepend(start);
    start.focus();
    start.remove();
  });
  const walk = [];
  for (let i = 0; i < FOCUS_MAX; i += 1) {
    await person.page.keyboard.press('Tab');
    const stop = await person.ask(() => {
      const element = /** @type {HTMLElement | null} */ (document.activeElement);
      if (!element || element === document.body) return null;
      const style = getComputedStyle(element);
      const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
      return {
        hook: element.dataset.testid ?? element.outerHTML.slice(0, 120),
        seen: element.checkVisibility({ visibilityProperty: true }),
        ring: ring || style.boxShadow !== 'none',
        tabIndex: element.tabIndex,
      };
    });
    if (!stop) break;
    assert.ok(stop.seen, `${stop.hook} has the focus and can't be seen`);
    assert.ok(stop.ring, `${stop.hook} doesn't show that it has the focus`);
    assert.equal(stop.tabIndex, 0, `${stop.hook} has an order of its own`);
    walk.push(stop.hook);
    if (stop.hook === goal) break;
  }
  return walk;
}

/** Runs in the page. */
function findPale() {
  const paper = /** @type {CanvasRenderingContext2D} */ (
    Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', {
      willReadFrequently: true,
    })
  );
  /** Any CSS colour as red, green, blue and opacity. @param {string} colour */
  const parse = (colour) => {
    paper.clearRect(0, 0, 1, 1);
    paper.fillStyle = colour;
    paper.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paper.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  /** @param {number[]} over @param {number[]} under */
  const blend = (over, under) => {
    return [0, 1, 2].map((i) => over[i] * over[3] + under[i] * (1 - over[3])).concat(1);
  };
  /** @param {number[]} colour */
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  /** What may be behind an element. @param {Element} element @returns {number[][]} */
  const grounds = (element) => {
    const layers = [];
    for (let at = /** @type {Element | null} */ (element); at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
      const picture = [...at.children].some((child) => child.tagName === 'VIDEO');
      if (picture && at !== element) {
        return [
          [0, 0, 0, 1],
          [255, 255, 255, 1],
        ].map((base) => {
          return layers.reduceRight((under, over) => blend(over, under), base);
        });
      }
    }
    return [layers.reduceRight((under, over) => blend(over, under), [255, 255, 255, 1])];
  };
  const pale = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (!element || !text.textContent?.trim() || element.closest('noscript, script, option'))
      continue;
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (element.closest('.unseen, .waiting, :disabled')) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const size = parseFloat(fontSize);
    const need = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700) ? 3 : 4.5;
    for (const ground of grounds(element)) {
      const [a, b] = [luminance(blend(parse(color), ground)), luminance(ground)];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < need)
        pale.push(`"${text.textContent.trim().slice(0, 40)}" ${ratio.toFixed(2)} to 1`);
    }
  }
  return [...new Set(pale)];
}
