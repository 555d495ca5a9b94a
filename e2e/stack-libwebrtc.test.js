/** libwebrtc with its coders, outside of a browser, as a member. */

import { apart } from './lib/apart.js';
import { meetsChromium } from './lib/stack.js';

meetsChromium('libwebrtc', apart(process.execPath, 'libwebrtc.js'));
