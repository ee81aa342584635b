// Owns what it takes to talk to one API server: address, trust, identity. Where that comes from is kubeconfig.ts and
// in-cluster.ts; using it is rest.ts.

/** How the connection is secured. PEM texts. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Name that the server's certificate must carry instead of the host. */
  readonly serverName?: string;
  /** The server's certificate is not checked. */
  readonly insecure?: boolean;
}

/** Identity to act as; sent as Impersonate-* headers. */
export interface Impersonation {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** A reachable API server. */
export interface ClusterAccess {
  /** Without trailing slash; may have a path. */
  readonly server: string;
  readonly tls: TlsOptions;
  /** Default namespace of the context. */
  readonly namespace?: string;
  readonly impersonate?: Impersonation;
  /**
   * Value of the Authorization header; undefined for none. Called before each request, so it caches.
   * Absent: the certificate is the identity, or there is none.
   */
  readonly authorization?: () => string | undefined | Promise<string | undefined>;
}
