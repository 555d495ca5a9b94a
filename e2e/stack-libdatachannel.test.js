/** libdatachannel as a member. */

import { apart } from './lib/apart.js';
import { meetsChromium } from './lib/stack.js';

meetsChromium('libdatachannel', apart(process.execPath, 'libdatachannel.js'));
