// mediasoup without its estimate of bandwidth, and so without the feedback that it takes for it.
import { start as startMediasoup } from './mediasoup.mjs';

export const start = (run) => startMediasoup({ ...run, estimates: false });
