"""What a person is told of a passkey's proof that is no good, by the verifier's own reasons."""

from __future__ import annotations

from gateway.ledger.passkeys import PasskeyRefusal

PASSKEY_REFUSALS: dict[PasskeyRefusal, str] = {
    PasskeyRefusal.MALFORMED_AUTHORIZER: "the passkey named in the proof has no origin as browsers write it, of 1 to 128 characters",
    PasskeyRefusal.KEY_NOT_ON_CURVE: "the passkey's public key is no point of P-256",
    PasskeyRefusal.MALFORMED_PROOF: "the proof is not r, s, length, authenticator data, client data; or its client data has over 512 bytes",
    PasskeyRefusal.MALFORMED_CLIENT_DATA: "the client data is not as a browser writes it; pass on its bytes as they came",
    PasskeyRefusal.NOT_AN_ASSERTION: "the client data is of another type than webauthn.get",
    PasskeyRefusal.OTHER_CHALLENGE: "the passkey approved of something else: its challenge must be the reservation id of these very terms",
    PasskeyRefusal.OTHER_ORIGIN: "the passkey was used at another origin than the one bound to it",
    PasskeyRefusal.CROSS_ORIGIN: "the passkey was used in a frame of another site's page; open the wallet's page by itself",
    PasskeyRefusal.OTHER_RELYING_PARTY: "the passkey was used for another relying party than the one bound to it",
    PasskeyRefusal.USER_NOT_PRESENT: "nobody was present when the passkey was used",
    PasskeyRefusal.USER_NOT_VERIFIED: "the member was not verified; ask for userVerification: required",
    PasskeyRefusal.BACKUP_FLAGS_CONTRADICT: "the authenticator says that the passkey is backed up and that it cannot be",
    PasskeyRefusal.SIGNATURE_OUT_OF_RANGE: "the signature's numbers are out of range",
    PasskeyRefusal.HIGH_S: "the signature's s is not in the lower half; send the order of P-256 less s",
    PasskeyRefusal.WRONG_SIGNATURE: "the signature is not this passkey's over this authenticator data and client data",
}
