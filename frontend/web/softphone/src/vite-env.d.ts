/// <reference types="vite/client" />

interface Window {
  /** For end-to-end tests and support: the present call's connection and what is heard. */
  __phone?: { peer(): RTCPeerConnection | null; remoteStream(): MediaStream | null };
}
