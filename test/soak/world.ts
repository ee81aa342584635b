// Owns the world of a soak: a repository with the folders of all applications, their Kustomizations, what Git says of
// each, the changes that are made to it, and the comparison of what is live with Git.
import { join } from 'node:path';
import type { GitServer } from '../../src/sandbox/gitserver.ts';
import { APPS, appFiles, appKustomization, appName, appObjects, FLEET, sourceObject } from '../bench/fleet/objects.ts';
import type { Api } from '../support/api.ts';
import type { FaultyApi } from '../support/fault-api.ts';
import { passingFaults, passingRule } from '../support/fault-points.ts';
import { createWorkTree, git, writeFiles } from '../support/git.ts';
import { isReady, type Live, pathOf } from '../support/reconciler.ts';
import type { Random } from '../support/seeded-choices.ts';
import type { Change, DriftKind } from './plan.ts';

/** What Git says of an application. */
interface Content {
  readonly value: string;
  /** How many objects it has. */
  readonly objects: number;
}

export interface WorldSetup {
  /** Straight to the API server. */
  readonly api: Api;
  /** The road of the reconciler. */
  readonly road: FaultyApi;
  readonly git: GitServer;
  /** A folder for the work tree. */
  readonly dir: string;
  readonly apps: number;
  /** Of each Kustomization; the source is asked for news every five seconds. */
  readonly interval: string;
}

export interface SoakWorld {
  /** Applications without a Kustomization now. */
  readonly deleted: readonly number[];
  change(change: Change, choices: Random): Promise<void>;
  /** Pushes to a part of the applications, and waits until the source has it. */
  pushAndFetch(apps: readonly number[], value: string): Promise<void>;
  /** No more faults. */
  calm(): void;
  /** Where the live world differs from Git; empty when it does not. */
  differences(): Promise<readonly string[]>;
}

/** Deployment, Service, ConfigMap: the last one comes and goes. */
const MOST_OBJECTS = 3;
const SOURCE_INTERVAL = '5s';
const RETRY_INTERVAL = '5s';
const MANAGER = 'somebody';

/** Makes the repository, the namespaces and the source; no application has a Kustomization yet. */
export async function openWorld(setup: WorldSetup): Promise<SoakWorld> {
  const world = new World(setup);
  await world.prepare();
  return world;
}

class World implements SoakWorld {
  readonly #setup: WorldSetup;
  readonly #work: string;
  #url = '';
  #head = '';
  #contents: readonly Content[];
  /** What the commit before says, for going back to it. */
  #before: readonly Content[];
  #deleted: readonly number[];

  constructor(setup: WorldSetup) {
    this.#setup = setup;
    this.#work = join(setup.dir, 'work');
    this.#contents = Array.from({ length: setup.apps }, () => ({ value: 'first', objects: MOST_OBJECTS }));
    this.#before = this.#contents;
    this.#deleted = this.#indexes();
  }

  get deleted(): readonly number[] {
    return this.#deleted;
  }

  async prepare(): Promise<void> {
    const { git: server } = this.#setup;
    ({ url: this.#url } = await server.createRepository('soak'));
    await createWorkTree(this.#work);
    for (const name of [FLEET, APPS]) await this.#apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await this.#commit(this.#indexes());
    await this.#apply(sourceObject(this.#url, SOURCE_INTERVAL));
  }

  async change(change: Change, choices: Random): Promise<void> {
    const { road } = this.#setup;
    switch (change.do) {
      case 'push':
        return this.#push(change.apps, change.value);
      case 'take back':
        return this.#takeBack();
      case 'drift':
        return this.#drift(change.apps, change.how);
      case 'delete':
        await this.#delete(change.apps);
        this.#deleted = change.apps;
        return;
      case 'create':
        this.#deleted = [];
        return this.#create(change.apps);
      case 'fault': {
        const fault = { ...passingFaults[change.row]!, hits: change.hits };
        return road.inject(passingRule(fault, choices, () => {}));
      }
      case 'end watches':
        return road.closeWatches(change.expired);
      default:
        change satisfies never;
    }
  }

  async pushAndFetch(apps: readonly number[], value: string): Promise<void> {
    await this.#push(apps, value);
    const annotations = { 'reconcile.fluxcd.io/requestedAt': this.#head };
    await this.#touch(SOURCE, { metadata: { annotations } });
    const revision = `main@sha1:${this.#head}`;
    await this.#until(SOURCE, `at ${revision}`, ({ body }) => body.status?.artifact?.revision === revision);
  }

  calm(): void {
    this.#setup.road.inject(undefined);
  }

  async differences(): Promise<readonly string[]> {
    const wanted = new Map<string, object>();
    for (const index of this.#indexes().filter((at) => !this.#deleted.includes(at))) {
      const { value, objects } = this.#contents[index]!;
      wanted.set(`Kustomization ${appName(index)}`, { revision: `main@sha1:${this.#head}`, ready: true });
      for (const object of appObjects(index, objects, value) as Live[]) {
        wanted.set(`${object.kind} ${object.metadata.name}`, essence(object));
      }
    }
    const live = await this.#live();
    const all = new Set([...wanted.keys(), ...live.keys()]);
    return [...all]
      .map((name) => ({ name, is: JSON.stringify(live.get(name)), wants: JSON.stringify(wanted.get(name)) }))
      .filter(({ is, wants }) => is !== wants)
      .map(({ name, is = 'absent', wants = 'absent' }) => `${name}: ${is} where Git says ${wants}`);
  }

  async #live(): Promise<Map<string, object>> {
    const found = new Map<string, object>();
    for (const [kind, collection] of Object.entries(COLLECTIONS)) {
      for (const item of (await this.#call('GET', collection)).items as Live[]) {
        if (!item.metadata.name.startsWith('app-')) continue;
        const told = kind === 'Kustomization' ? passOf(item) : essence({ ...item, kind });
        found.set(`${kind} ${item.metadata.name}`, told);
      }
    }
    return found;
  }

  async #push(apps: readonly number[], value: string): Promise<void> {
    this.#before = this.#contents;
    const touched = new Set(apps);
    this.#contents = this.#contents.map((content, index) => {
      if (!touched.has(index)) return content;
      return { value, objects: content.objects === MOST_OBJECTS ? MOST_OBJECTS - 1 : MOST_OBJECTS };
    });
    await this.#commit(apps);
  }

  async #commit(apps: readonly number[]): Promise<void> {
    for (const index of apps) {
      const { value, objects } = this.#contents[index]!;
      writeFiles(this.#work, appFiles([index], objects, value));
    }
    await git(this.#work, 'add', '-A');
    await git(this.#work, 'commit', '--quiet', '--allow-empty', '-m', 'Change');
    await this.#publish();
  }

  async #takeBack(): Promise<void> {
    const isFirst = (await git(this.#work, 'rev-list', '--count', 'HEAD')) === '1';
    if (isFirst || this.#before === this.#contents) return;
    await git(this.#work, 'reset', '--quiet', '--hard', 'HEAD~1');
    this.#contents = this.#before;
    await this.#publish();
  }

  async #publish(): Promise<void> {
    await git(this.#work, 'push', '--quiet', '--force', this.#url, 'HEAD:main');
    this.#head = await git(this.#work, 'rev-parse', 'HEAD');
  }

  async #drift(apps: readonly number[], how: DriftKind): Promise<void> {
    for (const index of apps) {
      const name = appName(index);
      switch (how) {
        case 'data':
          await this.#touch(`${COLLECTIONS.ConfigMap}/${name}-0`, { data: { round: 'by hand' } });
          break;
        case 'replicas':
          await this.#touch(`${COLLECTIONS.Deployment}/${name}`, { spec: { replicas: 2 } });
          break;
        case 'delete Deployment':
          await this.#call('DELETE', `${COLLECTIONS.Deployment}/${name}`);
          break;
        case 'delete Service':
          await this.#call('DELETE', `${COLLECTIONS.Service}/${name}`);
          break;
        default:
          how satisfies never;
      }
    }
  }

  async #create(apps: readonly number[]): Promise<void> {
    for (const index of apps) {
      const object = appKustomization(index, this.#setup.interval) as Live;
      // One that was deleted may be on its way out still: applying would change the old one.
      await this.#until(pathOf(object), 'gone', ({ status }) => status === 404);
      await this.#apply({ ...object, spec: { ...object.spec, retryInterval: RETRY_INTERVAL } });
    }
  }

  async #delete(apps: readonly number[]): Promise<void> {
    for (const index of apps) await this.#call('DELETE', `${COLLECTIONS.Kustomization}/${appName(index)}`);
  }

  /** Looks at an object again and again until it is as it should be. */
  async #until(path: string, what: string, isDone: (answer: { status: number; body: Live }) => boolean): Promise<void> {
    for (const end = Date.now() + UNTIL_MS; !isDone((await this.#setup.api.call('GET', path)) as Live); ) {
      if (Date.now() > end) throw new Error(`${path}: not ${what} after ${UNTIL_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #apply(object: object): Promise<void> {
    const options = { body: object, contentType: 'application/apply-patch+yaml' };
    const path = `${pathOf(object as Live)}?fieldManager=soak&force=true`;
    const { status, body } = await this.#setup.api.call('PATCH', path, options);
    if (status >= 300) throw new Error(`${path}: ${JSON.stringify(body)}`);
  }

  #touch(path: string, body: object): Promise<Live> {
    return this.#call('PATCH', `${path}?fieldManager=${MANAGER}`, body);
  }

  /** What is not there (any more) cannot be changed: that is no failure. */
  async #call(method: 'GET' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<Live> {
    const answer = await this.#setup.api.call(method, path, body === undefined ? {} : { body });
    if (answer.status >= 300 && answer.status !== 404) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer.body;
  }

  #indexes(): number[] {
    return Array.from({ length: this.#setup.apps }, (_, index) => index);
  }
}

const UNTIL_MS = 120_000;
const LOOK_MS = 100;

const SOURCE = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${FLEET}/gitrepositories/fleet`;
const COLLECTIONS = {
  Kustomization: `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${FLEET}/kustomizations`,
  Deployment: `/apis/apps/v1/namespaces/${APPS}/deployments`,
  Service: `/api/v1/namespaces/${APPS}/services`,
  ConfigMap: `/api/v1/namespaces/${APPS}/configmaps`,
} as const;

function passOf(object: Live): object {
  const { generation } = object.metadata;
  const ready = isReady(object) && object.status.observedGeneration === generation;
  return { revision: object.status?.lastAppliedRevision, ready };
}

/** What Git says of an object, of a manifest and of a live one alike. */
function essence({ kind, metadata, spec, data }: Live): object {
  switch (kind) {
    case 'Deployment': {
      const [main] = spec.template.spec.containers;
      return { replicas: spec.replicas, image: main.image, env: main.env };
    }
    case 'Service':
      return { selector: spec.selector, port: spec.ports[0].port };
    default:
      return { app: metadata.labels?.app, round: data?.round, text: data?.text };
  }
}
