// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Why a passkey's proof is no good, in the order in which it is looked at. None of these is ever reverted with.
interface PasskeyRefusals {
    error MalformedAuthorizer(); // no origin, one of more than 128 bytes, or one that JSON would write otherwise
    error KeyNotOnCurve();
    error MalformedProof(); // cut short, or longer than an assertion may be
    error MalformedClientData(); // not written as browsers write it, or something is said twice
    error NotAnAssertion(); // the client data's type: a passkey was made, not used
    error OtherChallenge(); // another digest was approved of
    error OtherOrigin(); // at another origin than the authorizer's
    error CrossOrigin(); // in a frame of somebody else's page
    error OtherRelyingParty();
    error UserNotPresent();
    error UserNotVerified(); // neither finger, face nor PIN was asked for
    error BackupFlagsContradict(); // backed up, yet not eligible for it
    error SignatureOutOfRange();
    error HighS(); // every signature has a twin with the other s; the lower one is taken
    error WrongSignature();
}
