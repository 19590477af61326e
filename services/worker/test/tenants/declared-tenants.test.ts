/** Further tenants of `subscriptions.yaml`: what may be said of one, and that no secret may stand there. */
import { describe, expect, it } from 'vitest';
import { declaredTenantSchema, findTenantProblems } from '../../src/tenants/declared-tenants.ts';

const OWN = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';
const contoso = {
  name: 'contoso',
  id: '84BD8158-6D4D-4958-8B9F-9D6445542F95',
  clientId: 'b7a1e6d4-93c5-4f28-8e0b-61d2f4a9c3e7',
};

const problemsOf = (tenant: Record<string, unknown>) =>
  declaredTenantSchema
    .safeParse(tenant)
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('a declared tenant', () => {
  it('has a name, an id and an app registration; the platform signs in, and records go where all go', () => {
    expect(declaredTenantSchema.parse(contoso)).toEqual({ ...contoso, id: contoso.id.toLowerCase() });
  });

  it.each([
    'file:/run/secrets/contoso',
    'azurekeyvault://vault/contoso',
    'gcpsecretmanager://project/contoso/latest',
  ])('keeps its secret elsewhere: %s', (clientSecret) => {
    expect(declaredTenantSchema.parse({ ...contoso, clientSecret }).clientSecret).toBe(clientSecret);
  });

  it('may not hold the secret itself, which is in no message', () => {
    expect(problemsOf({ ...contoso, clientSecret: 'PLANTED-SECRET' })).toEqual([
      'clientSecret: must say where the secret is kept: file:, azurekeyvault:// or gcpsecretmanager://',
    ]);
    expect(problemsOf({ ...contoso, clientSecret: 'file:PLANTED-SECRET' }).join()).not.toContain('PLANTED');
  });

  it.each([
    [{ name: 'Contoso' }, 'name: must be 1 to 40 lower-case letters, digits or -'],
    [{ id: 'contoso.com' }, 'id: must be the id of a tenant (a GUID)'],
    [{ clientId: '' }, 'clientId: must be the id of an app registration (a GUID)'],
    [{ topic: 'a b' }, 'topic: must be a topic name: letters, digits, . _ -'],
  ])('is refused with what is wrong: %j', (wrong, problem) => {
    expect(problemsOf({ ...contoso, ...wrong })).toEqual([problem]);
  });
});

describe('several tenants', () => {
  const parsed = declaredTenantSchema.parse(contoso);

  it('have each a name and an id of their own', () => {
    expect(findTenantProblems([parsed], OWN)).toEqual([]);
    expect(findTenantProblems([parsed, { ...parsed, id: OWN }], OWN)).toEqual([
      { path: ['tenants', 1, 'name'], reason: 'contoso is there twice' },
      { path: ['tenants', 1, 'id'], reason: `${OWN} is there already, as AZURE_TENANT_ID` },
    ]);
    expect(findTenantProblems([parsed, { ...parsed, name: 'twin' }], OWN)).toEqual([
      { path: ['tenants', 1, 'id'], reason: `${parsed.id} is there already` },
    ]);
  });
});
