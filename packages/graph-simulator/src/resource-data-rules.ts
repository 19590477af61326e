// What Graph demands of a subscription whose notifications carry the resource itself, encrypted.
import { X509Certificate } from 'node:crypto';
import { GraphError } from './graph-exchange.ts';
import type { ResourceKind } from './resource-kinds.ts';

/** The part of a request that these rules look at. `resource` is as the app wrote it, query included. */
export interface ResourceDataWish {
  readonly resource: string;
  readonly includeResourceData: boolean;
  readonly encryptionCertificate: string | null;
  readonly encryptionCertificateId: string | null;
}

/** Graph page "Change notifications that include resource data": RSA keys of this many bits. */
const MIN_KEY_BITS = 2_048;
const MAX_KEY_BITS = 4_096;
/** Graph page "subscription resource type". */
const MAX_CERTIFICATE_ID = 128;

/** Graph page "Change notifications for Outlook resources": options that go with no resource data. */
const REFUSED_OPTIONS: readonly string[] = ['$top', '$skip', '$orderby'];
const REFUSED_PROPERTIES: readonly string[] = ['body', 'uniquebody'];
const EXPANDABLE: readonly string[] = ['singlevalueextendedproperties', 'multivalueextendedproperties'];

const invalid = (text: string) => new GraphError(400, 'InvalidRequest', text);

const queryOf = (resource: string) => new URLSearchParams(resource.split('?', 2)[1] ?? '');

/** Commas part the names, but not those inside an $expand's own parentheses. */
function namesIn(list: string): string[] {
  const names = list.split(/,(?![^(]*\))/);
  return names.map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
}

/** What `$select` names, in lower case, as Graph reads property names in any; undefined where it is absent. */
export function selectedProperties(resource: string): readonly string[] | undefined {
  const list = queryOf(resource).get('$select');
  return list === null ? undefined : namesIn(list);
}

function parseCertificate(text: string): X509Certificate {
  // Node's decoder skips what is not base64, line ends and a PEM's dashes included; Graph takes base64 alone.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw invalid("Property 'encryptionCertificate' must be a base64-encoded X.509 certificate.");
  }
  try {
    return new X509Certificate(Buffer.from(text, 'base64'));
  } catch {
    throw invalid("Property 'encryptionCertificate' is not an X.509 certificate.");
  }
}

/**
 * Whoever issued it and whenever it ends, Graph encrypts for it, as long as its key is RSA and of a length that is named.
 * @throws {GraphError}
 */
export function checkEncryptionCertificate(text: string): void {
  const { asymmetricKeyType, asymmetricKeyDetails } = parseCertificate(text).publicKey;
  if (asymmetricKeyType !== 'rsa')
    throw invalid("The key of property 'encryptionCertificate' must be an RSA key.");
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits >= MIN_KEY_BITS && bits <= MAX_KEY_BITS) return;
  throw invalid(
    `The key of property 'encryptionCertificate' has ${bits} bits; it must have ${MIN_KEY_BITS} to ${MAX_KEY_BITS}.`,
  );
}

/** @throws {GraphError} */
export function checkEncryptionCertificateId(text: string): void {
  if (text !== '' && text.length <= MAX_CERTIFICATE_ID) return;
  throw invalid(`Property 'encryptionCertificateId' must have 1 to ${MAX_CERTIFICATE_ID} characters.`);
}

function checkOutlookOptions(resource: string): void {
  const query = queryOf(resource);
  const selected = selectedProperties(resource);
  if (selected === undefined || selected.length === 0) {
    throw invalid("'$select' is required in 'resource' for notifications with resource data.");
  }
  const option = REFUSED_OPTIONS.find((name) => query.has(name));
  if (option !== undefined) {
    throw invalid(`'${option}' is not supported in 'resource' for notifications with resource data.`);
  }
  const property = selected.find((name) => REFUSED_PROPERTIES.includes(name));
  if (property !== undefined) {
    throw invalid(`'$select=${property}' is not supported for notifications with resource data.`);
  }
  const expanded = namesIn(query.get('$expand') ?? '').map((name) => name.split('(', 1)[0] ?? '');
  const refused = expanded.find((name) => !EXPANDABLE.includes(name));
  if (refused === undefined) return;
  throw invalid(`'$expand=${refused}' is not supported for notifications with resource data.`);
}

function checkKind(resource: string, kind: ResourceKind): void {
  if (kind.versionForm === 'outlook') {
    checkOutlookOptions(resource);
    return;
  }
  if (!kind.isTeams) {
    throw invalid(`Resource '${resource}' does not support notifications with resource data.`);
  }
  if (!queryOf(resource).has('$select')) return;
  throw invalid("'$select' is not supported in 'resource' for this resource.");
}

/**
 * Checks the certificate wherever one is given, and the rest where resource data is asked for.
 * @throws {GraphError} 400, with the first rule that is broken
 */
export function checkResourceData(wish: ResourceDataWish, kind: ResourceKind): void {
  const { encryptionCertificate: certificate, encryptionCertificateId: id } = wish;
  if (certificate !== null) checkEncryptionCertificate(certificate);
  if (id !== null) checkEncryptionCertificateId(id);
  if (!wish.includeResourceData) return;
  if (certificate === null) {
    throw invalid("'encryptionCertificate' is required when 'includeResourceData' is true.");
  }
  if (id === null) throw invalid("'encryptionCertificateId' is required when 'includeResourceData' is true.");
  checkKind(wish.resource, kind);
}
