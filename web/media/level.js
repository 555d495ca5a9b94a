/** How loud a local microphone is, for the meter and for the mark of who speaks. */

/** @type {AudioContext | null} */
let context = null;

function sharedContext() {
  if (!context && globalThis.AudioContext) {
    context = new AudioContext();
    const start = () => context?.resume().catch(() => {});
    // Browsers hold audio back until the first gesture.
    addEventListener('pointerdown', start, { capture: true });
    addEventListener('keydown', start, { capture: true });
  }
  return context;
}

export class LevelMeter {
  #source;
  #analyser;
  #samples;

  /** @param {MediaStreamTrack} track */
  constructor(track) {
    const audio = sharedContext();
    if (!audio) return;
    this.#analyser = audio.createAnalyser();
    this.#analyser.fftSize = 512;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = audio.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(this.#analyser);
    if (audio.state === 'suspended') audio.resume().catch(() => {});
  }

  /** 0 to 1, on a scale that suits the ear. */
  get level() {
    if (!this.#analyser || !this.#samples) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const rms = Math.sqrt(sum / this.#samples.length);
    if (rms < 1e-4) return 0;
    return Math.min(1, Math.max(0, (20 * Math.log10(rms) + 55) / 50)); // -55 dB .. -5 dB
  }

  close() {
    this.#source?.disconnect();
    this.#analyser = undefined;
  }
}
