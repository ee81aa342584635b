// Owns running gofakes3, an object storage that others wrote, for tests: what we read of S3's specification is held
// against somebody else's reading. It checks no signatures; those are s3-server.ts's.
import { spawn } from 'node:child_process';
import { findTool } from '../cluster/build.ts';
import { freePorts } from '../cluster/processes.ts';
import { untilListening } from './sshd.ts';

/** A running storage with one bucket, `manifests`. */
export interface GoFakeS3 {
  /** `127.0.0.1:port` */
  readonly endpoint: string;
  put(key: string, content: string): Promise<void>;
  remove(key: string): Promise<void>;
  stop(): Promise<void>;
}

/** The binary that the cluster tests built, or LOCKSTEP_GOFAKES3; undefined where there is none. */
export async function findGoFakeS3(): Promise<string | undefined> {
  return process.env['LOCKSTEP_GOFAKES3'] ?? (await findTool('gofakes3'));
}

/** Starts a storage that lives in memory. */
export async function startGoFakeS3(binary: string): Promise<GoFakeS3> {
  const [port = 0] = await freePorts(1);
  const endpoint = `127.0.0.1:${port}`;
  const args = ['-backend', 'memory', '-host', endpoint, '-initialbucket', 'manifests'];
  const child = spawn(binary, args, { stdio: 'ignore' });
  await untilListening(port, child);
  const send = async (method: 'PUT' | 'DELETE', key: string, body?: string): Promise<void> => {
    const path = key.split('/').map(encodeURIComponent).join('/');
    const answer = await fetch(`http://${endpoint}/manifests/${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
    if (!answer.ok) throw new Error(`${method} ${key}: ${answer.status} ${await answer.text()}`);
  };
  return {
    endpoint,
    put: (key, content) => send('PUT', key, content),
    remove: (key) => send('DELETE', key),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}
