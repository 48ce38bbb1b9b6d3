// The limits of good quality, for the warnings of a call, the test before a call and a page's advice.

export const QUALITY_LIMITS = { mos: 3, roundTripMs: 400, jitterMs: 30, lossPercent: 3 } as const;
