"""Why an act of a member would not count on the ledger, in words that say what to do."""

from __future__ import annotations

_SIGN_AGAIN = "sign the act again and send it"

MEMBER_ACT_REFUSALS: dict[str, str] = {
    "MemberActExpired": f"the act's deadline has passed: {_SIGN_AGAIN} with a later one",
    "MemberActOutOfTurn": "the nonce is not the next one: sign with the standing's turn for a spend lock, with its acts for any other act",
    "MemberProofInvalid": "the proof is not good for this act: let the member's wallet sign exactly what is sent",
    "AuthorizerAbsent": "the signer, or the authorizer to be removed, is none of the member's: take one that the member's standing names",
    "ClaimKeyOnlyChanges": "a claim key may only change authorizers: put a key or a passkey in its place first",
    "SpendLocked": "the member is locked: request an unlock, and send the act once it is carried out",
    "NothingToChange": "the change adds nothing and removes nothing: name an authorizer to add, or the signer itself to remove",
    "RemovalWaits": "another authorizer than the signer is removed by a request that waits: send it to the member's removals",
    "AuthorizerPresent": "the authorizer is the member's already: there is nothing to do",
    "LastAuthorizer": "a member keeps at least one authorizer: add another first",
    "AuthorizerKindUnknown": "an authorizer is of kind 1, a key, or 3, a passkey: take one of these",
    "AuthorizerNotAnAddress": "a key is named by its 20-byte address: send that",
    "GrantToNobody": "a grant is to a brand or to another member: name one",
    "NotLocked": "the member is not locked: there is nothing to unlock",
    "GuardianUnchanged": "this is the guardian already: there is nothing to do",
    "GuardianIsOperator": "the operator's account is never a guardian: name somebody else",
    "NotGuardian": "a recovery is signed by the member's guardian: let the guardian sign it",
    "ActUsed": "this very recovery was requested before: let the guardian sign one with another nonce",
    "ActNotPending": "no act with this id waits: read the member's standing for those that do",
    "ActNotReady": "the act still waits: carry it out from ready_at on",
    "ActFallen": "the member was locked again, recovered or given another guardian since: request the act anew",
    "MemberActLapsed": "the act waited for more than 30 days after it was ready: request it anew",
}
