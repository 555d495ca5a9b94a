/** GStreamer as a member, with its own coders: H.264, as Debian's Chromium has it, too. */

import { apart } from './lib/apart.js';
import { meetsChromium } from './lib/stack.js';

// Debian's python3, which has its packages
meetsChromium('GStreamer', apart('/usr/bin/python3', 'gstreamer.py'), 'video/H264');
