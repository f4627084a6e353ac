// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Checks proofs by one kind of authorizer, such as passkeys.
interface IAuthorizerVerifier {
    /// Whether `proof` shows that `authorizer` approved of `digest`.
    function verify(bytes32 digest, bytes calldata authorizer, bytes calldata proof) external view returns (bool);
}
