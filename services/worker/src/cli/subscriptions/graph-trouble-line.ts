/** What Graph has refused or not answered, in one line with the cure. Pure. */
import type { GraphError } from '../../graph/graph-error.ts';
import { explainTrouble, TROUBLES, type TroubleReason } from '../../subscriptions/troubles.ts';
import { plainText } from '../plain-text.ts';

const AGAIN = 'try again later';
const DOCTOR = '`g2k doctor` says what is wrong';

const CURES: Readonly<Record<TroubleReason, string>> = {
  'graph-away': `${AGAIN}; ${DOCTOR}`,
  'in-doubt': '`g2k export` shows what there is',
  throttled: AGAIN,
  'sign-in': DOCTOR,
  handshake: '`g2k doctor` asks the address as Graph does',
  consent: 'grant the permission that `g2k doctor` names',
  'access-policy': 'have the policy take this mailbox in',
  'no-mailbox': 'correct the user, or give them a licence',
  'not-found': 'correct the path',
  quota: 'delete what is not needed: `g2k export` shows what there is',
  taken: 'delete the other one, or let it end: `g2k export` shows it',
  'no-certificate': '`g2k certificates rotate` makes one',
  'too-long': 'ask for less',
  refused: 'correct what Graph names',
  unforeseen: 'report it',
};

/** `no token, or Graph does not take it: the client secret is wrong (AADSTS7000215); cure: …` */
export function graphTroubleLine(error: GraphError): string {
  const { reason, detail } = explainTrouble(error);
  // These say nothing that the reason does not say.
  const said = detail.replace(/^(transient|unauthorized|unusable): (no token: )?/, '');
  return plainText(`${TROUBLES[reason].means}: ${said}; cure: ${CURES[reason]}`);
}
