/** What an image says of itself: its OCI configuration, and its root folder for a look from outside. */
import { runProgram } from '@graph2kafka/test-harness';

export type ImageConfig = {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
};

type Inspected = { readonly OCIv1: { readonly config: ImageConfig }; readonly FromImageDigest: string };

export async function inspectImage(reference: string): Promise<Inspected> {
  const { stdout } = await runProgram('buildah', ['inspect', '--type', 'image', reference]);
  return JSON.parse(stdout) as Inspected;
}

/** Its files, unpacked; removed with the returned object. */
export async function unpackImage(reference: string): Promise<AsyncDisposable & { readonly root: string }> {
  const { stdout: container } = await runProgram('buildah', ['from', '--pull-never', reference]);
  const { stdout: root } = await runProgram('buildah', ['mount', container.trim()]);
  return {
    root: root.trim(),
    async [Symbol.asyncDispose]() {
      await runProgram('buildah', ['rm', container.trim()]);
    },
  };
}
