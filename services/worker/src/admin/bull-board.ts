/** Bull Board, loaded when somebody looks at it first: it would cost each start some 0.1 s. */
import type { Queue } from 'bullmq';
import type { RequestHandler } from 'express';

export type BullBoardOptions = {
  readonly queues: readonly Queue[];
  /** No button changes a job or a queue, and no request does. */
  readonly readOnly: boolean;
};

/** To be mounted at `/queues`. */
export function bullBoard(options: BullBoardOptions): RequestHandler {
  let board: Promise<RequestHandler> | undefined;
  return (request, response, next) => {
    board ??= load(options).catch((error: unknown) => {
      board = undefined;
      throw error;
    });
    board.then((answer) => answer(request, response, next)).catch(next);
  };
}

async function load({ queues, readOnly }: BullBoardOptions): Promise<RequestHandler> {
  const [{ createBullBoard }, { BullMQAdapter }, { ExpressAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
    import('@bull-board/express'),
  ]);
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath('/queues');
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: readOnly })),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'graph2kafka', hideRedisDetails: true } },
  });
  return serverAdapter.getRouter() as RequestHandler;
}
