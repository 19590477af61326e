// Makes the people of a tenant from a number.
import type { JsonObject } from './graph-exchange.ts';
import { GIVEN_NAMES, JOB_TITLES, SURNAMES } from './names.ts';
import type { SeededRandom } from './seeded-random.ts';

const asciiLower = (name: string) =>
  name
    .normalize('NFD')
    .replace(/[^a-z]/gi, '')
    .toLowerCase();

/**
 * The body of one user as GET /users/{id} shows it by default.
 * @param number keeps equal names apart
 * @param domain of the address; a reserved top-level name keeps it from belonging to anybody
 */
export function seedUser(random: SeededRandom, number: number, domain: string): JsonObject {
  const givenName = random.pick(GIVEN_NAMES);
  const surname = random.pick(SURNAMES);
  const address = `${asciiLower(givenName)}.${asciiLower(surname)}${number}@${domain}`;
  return {
    businessPhones: [],
    displayName: `${givenName} ${surname}`,
    givenName,
    jobTitle: random.pick(JOB_TITLES),
    mail: address,
    mobilePhone: null,
    officeLocation: `${random.below(9) + 1}/${random.below(90) + 10}`,
    preferredLanguage: 'en-GB',
    surname,
    userPrincipalName: address,
    id: random.guid(),
  };
}
