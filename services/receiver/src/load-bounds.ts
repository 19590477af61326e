/**
 * What may be under way at once: requests whose body is complete, and bytes of bodies. Requests that are still being
 * received count by their bytes alone, or a few hundred slow clients would use up what everybody shares.
 */
export type LoadLimits = {
  /** Requests that are read and not yet answered. */
  readonly maxRequests: number;
  /** Bytes of all bodies, after inflation, from their arrival to their answer. */
  readonly maxBytes: number;
};

/** One request on its way through. */
export type Visit = {
  /** Whether so many further bytes may be kept; room is made by cutting off who has been sending for longer. */
  readonly add: (bytes: number) => boolean;
  /** Its body is complete; whether it may go on. */
  readonly received: () => boolean;
  /** Gives everything back; safe to call twice. */
  readonly leave: () => void;
};

export type LoadBounds = {
  /** `undefined`: no more now. `onCut` is called when an older body than others' has to go, before it was complete. */
  readonly enter: (onCut: () => void) => Visit | undefined;
  readonly requests: () => number;
  readonly bytes: () => number;
};

type Entered = { bytes: number; readonly cut: () => void };

export function createLoadBounds({ maxRequests, maxBytes }: LoadLimits): LoadBounds {
  let requests = 0;
  let bytes = 0;
  /** In order of arrival: who has been sending longest comes first. */
  const receiving = new Set<Entered>();

  function giveBack(entered: Entered): void {
    receiving.delete(entered);
    bytes -= entered.bytes;
    entered.bytes = 0;
  }

  function add(entered: Entered, more: number): boolean {
    if (!receiving.has(entered)) return false;
    entered.bytes += more;
    bytes += more;
    for (const oldest of receiving) {
      if (bytes <= maxBytes) break;
      giveBack(oldest);
      if (oldest === entered) return false;
      oldest.cut();
    }
    return true;
  }

  return {
    requests: () => requests,
    bytes: () => bytes,
    enter(onCut) {
      if (requests >= maxRequests) return undefined;
      const entered: Entered = { bytes: 0, cut: onCut };
      receiving.add(entered);
      let state: 'receiving' | 'answering' | 'left' = 'receiving';
      return {
        add: (more) => add(entered, more),
        received() {
          if (!receiving.delete(entered) || requests >= maxRequests) return false;
          requests++;
          state = 'answering';
          return true;
        },
        leave() {
          if (state === 'left') return;
          if (state === 'answering') requests--;
          state = 'left';
          giveBack(entered);
        },
      };
    },
  };
}
