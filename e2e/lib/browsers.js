/**
 * Debian's browsers with made-up cameras and microphones: Chromium by Playwright, Firefox by
 * Puppeteer over WebDriver BiDi. Nothing is downloaded.
 *
 * Both give pages with the same few calls (`goto`, `click`, `evaluate`, `close`), which is all
 * that a `Person` uses.
 */

import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import { LIMIT_MS } from './until.js';

const CHROMIUM = process.env.E2E_CHROMIUM || '/usr/bin/chromium';
const WITHIN = fileURLToPath(new URL('within', import.meta.url));
const FIREFOX = process.env.E2E_FIREFOX || '/usr/bin/firefox-esr';

/**
 * @typedef {object} Devices
 * @property {string} [devices] of the made-up camera: `fps=10`, `device-count=0`, ...
 * @property {'allow' | 'deny' | 'ask'} [permission] what the person says when the browser asks
 * @property {string[]} [args]
 * @property {string[]} [within] the words of a command that runs another, in another place
 * @property {string} [home] the browser's HOME, in place of ours
 */

/** @param {Devices} [options] */
export function launchChromium({
  devices = 'fps=10',
  permission = 'allow',
  args = [],
  within = [],
  home = '',
} = {}) {
  const answer = {
    allow: ['--use-fake-ui-for-media-stream'],
    deny: ['--use-fake-ui-for-media-stream=deny'],
    ask: [],
  };
  return chromium.launch({
    executablePath: within.length ? WITHIN : CHROMIUM,
    env: {
      ...process.env,
      ...(home ? { HOME: home } : {}),
      E2E_WITHIN: within.join(' '),
      E2E_BROWSER: CHROMIUM,
    },
    headless: true,
    timeout: LIMIT_MS,
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      `--use-fake-device-for-media-stream=${devices}`,
      ...answer[permission],
      '--auto-select-desktop-capture-source=Entire screen',
      '--allow-loopback-in-peer-connection',
      '--disable-background-networking',
      '--no-first-run',
      '--disable-component-update',
      '--disable-sync',
      '--disable-background-timer-throttling',
      '--disable-renderer-backgrounding',
      '--disable-backgrounding-occluded-windows',
      ...args,
    ],
  });
}

/**
 * A page that shares nothing with other pages of the browser.
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
export async function chromiumPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1000, height: 700 },
    locale: 'en-US',
    ...options,
  });
  context.setDefaultTimeout(LIMIT_MS);
  return context.newPage();
}

/** @param {string} [profile] a folder that is the browser's own */
export function launchFirefox(profile) {
  return puppeteer.launch({
    browser: 'firefox',
    userDataDir: profile,
    executablePath: FIREFOX,
    headless: true,
    timeout: LIMIT_MS,
    protocolTimeout: LIMIT_MS,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.autoplay.default': 0,
      'intl.accept_languages': 'en-US',
      'app.update.disabledForTesting': true,
      'datareporting.policy.dataSubmissionEnabled': false,
      'toolkit.telemetry.reportingpolicy.firstRun': false,
    },
  });
}
