/**
 * What is sent before measuring begins. V8 compiles what is called often: a receiver that has just started spends
 * several times the CPU of one that has run for a minute, and nobody's receiver has just started.
 */

/** Straight at a receiver: one to two seconds. */
export const WARM_UP_POSTS = { clients: 16, requests: 4000 };

/** Through the whole pipeline. Faster than a usual rate, or it would take a minute. */
export const WARM_UP_CHANGES = { ratePerSecond: 250, seconds: 4 };
