// Tells the test, each 20 ms, whether the page plays a known tone. Put into every page before its own scripts.
// Only what an audio element really plays counts: one that is paused or muted gives nothing.
// Told in batches of `BATCH` frames, as a busy test could not keep up else: when a page dies, its last frames are lost.
// Times: `position` is the sound's own clock (seconds since it began here), `now` the machine's (Unix milliseconds).
(() => {
  const HZ = __HZ__, BATCH = 4, report = window.__BINDING__;
  const worklet = `
    class Ears extends AudioWorkletProcessor {
      constructor() {
        super();
        this.frame = new Float32Array(Math.round(sampleRate / 50));
        this.filled = 0;
      }
      process([[input]]) {
        for (let i = 0; i < 128; i++) {
          this.frame[this.filled++] = input ? input[i] : 0;
          if (this.filled === this.frame.length) this.judge(i);
        }
        return true;
      }
      judge(last) {
        const count = this.filled;
        let energy = 0, real = 0, imaginary = 0;
        for (let i = 0; i < count; i++) {
          const value = this.frame[i], angle = 2 * Math.PI * ${HZ} * i / sampleRate;
          energy += value * value;
          real += value * Math.cos(angle);
          imaginary += value * Math.sin(angle);
        }
        this.filled = 0;
        const loud = 20 * Math.log10(Math.sqrt(2 * energy / count) + 1e-9) > -45;
        const tone = loud && 2 * (real * real + imaginary * imaginary) / (count * energy) >= 0.6;
        this.port.postMessage([(currentFrame + last + 1) / sampleRate, Date.now(), tone]);
      }
    }
    registerProcessor("ears", Ears);`;
  const context = new AudioContext();
  const ready = context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: "text/javascript" })));
  const page = Math.random().toString(36).slice(2);
  const elements = new Set(), listening = new Map();

  const source = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    ...source,
    set(stream) {
      elements.add(this);
      source.set.call(this, stream);
    },
  });
  const plays = (track) => [...elements].some((element) => {
    const stream = source.get.call(element);
    return stream instanceof MediaStream && !element.paused && !element.muted && element.volume > 0 && stream.getTracks().includes(track);
  });

  const listen = async (track) => {
    if (track.kind !== "audio" || listening.has(track)) return;
    const number = listening.size;
    listening.set(track, number);
    await ready;
    const ears = new AudioWorkletNode(context, "ears", { channelCount: 1, channelCountMode: "explicit" });
    context.createMediaStreamSource(new MediaStream([track])).connect(ears).connect(context.destination); // writes silence
    let batch = [];
    const flush = () => batch.length > 0 && report(`${page}.${number}`, batch.splice(0));
    ears.port.onmessage = ({ data: [position, now, tone] }) => {
      const over = track.readyState !== "live";
      if (over) ears.disconnect();
      else batch.push([position, now, tone && plays(track)]);
      if (over || batch.length >= BATCH) flush();
    };
    addEventListener("pagehide", flush);
  };
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(...options) {
      super(...options);
      this.addEventListener("track", ({ track }) => void listen(track));
    }
  };
})();
