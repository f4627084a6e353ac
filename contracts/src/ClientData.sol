// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PasskeyRefusals} from "./PasskeyRefusals.sol";
import {ACCEPTED} from "./Refusals.sol";

/// WebAuthn's client data, read as its specification lets it be written and never searched: the first three members stand in
/// their order from the first byte, and every byte after them belongs to a member that is named. So nothing hides inside a value.
library ClientData {
    uint256 internal constant TYPE = 1; // where the member begins
    uint256 internal constant CHALLENGE = 23;

    // Printable ASCII without the quotation mark and the backslash: what JSON writes as it is.
    uint256 private constant PLAIN = ((1 << 127) - (1 << 32)) & ~uint256((1 << 34) | (1 << 92));

    /// {"type":"webauthn.get","challenge":"…","origin":"…" and then any of `_checkFurtherMembers`
    function check(bytes calldata json, string memory challenge, bytes calldata origin) internal pure returns (bytes4) {
        unchecked {
            if (!_says(json, 0, '{"type":"', 9)) return PasskeyRefusals.MalformedClientData.selector;
            if (!_says(json, 9, 'webauthn.get"', 13)) return PasskeyRefusals.NotAnAssertion.selector;
            if (!_says(json, 22, ',"challenge":"', 14)) return PasskeyRefusals.MalformedClientData.selector;
            if (!_quotes(json, 36, bytes(challenge))) return PasskeyRefusals.OtherChallenge.selector;
            uint256 place = 37 + bytes(challenge).length;
            if (!_says(json, place, ',"origin":"', 11)) return PasskeyRefusals.MalformedClientData.selector;
            place += 11;
            if (!_quotes(json, place, origin)) return PasskeyRefusals.OtherOrigin.selector;
            place += origin.length + 1;
            bool isUsual = json.length == place + 21 && _says(json, place, ',"crossOrigin":false}', 21);
            return isUsual ? ACCEPTED : _checkFurtherMembers(json, place);
        }
    }

    /// Where the run of plain characters ends that begins at `place`.
    function plainUntil(bytes calldata text, uint256 place) internal pure returns (uint256) {
        unchecked {
            while (place < text.length && (PLAIN >> uint8(text[place])) & 1 == 1) ++place;
            return place;
        }
    }

    /// (,"name":value)* } with plain names, and plain text, true or false as values; nothing that was said before or
    /// speaks of a frame, save that there is none.
    function _checkFurtherMembers(bytes calldata json, uint256 place) private pure returns (bytes4) {
        unchecked {
            while (_says(json, place, ',"', 2)) {
                uint256 end = plainUntil(json, place + 2);
                bytes32 name = bytes32(json[place + 2:end]); // its first 32 bytes tell it from those looked for
                if (name == "type" || name == "challenge" || name == "origin") {
                    return PasskeyRefusals.MalformedClientData.selector;
                }
                if (name == "topOrigin") return PasskeyRefusals.CrossOrigin.selector;
                if (!_says(json, end, '":', 2)) return PasskeyRefusals.MalformedClientData.selector;
                place = end + 2;
                if (_says(json, place, "false", 5)) {
                    place += 5;
                } else if (name == "crossOrigin") {
                    return PasskeyRefusals.CrossOrigin.selector;
                } else if (_says(json, place, "true", 4)) {
                    place += 4;
                } else {
                    if (!_says(json, place, '"', 1)) return PasskeyRefusals.MalformedClientData.selector;
                    place = plainUntil(json, place + 1);
                    if (!_says(json, place, '"', 1)) return PasskeyRefusals.MalformedClientData.selector;
                    ++place;
                }
            }
            bool isWhole = json.length == place + 1 && json[place] == "}";
            return isWhole ? ACCEPTED : PasskeyRefusals.MalformedClientData.selector;
        }
    }

    /// Whether the `length` bytes at `place`, which is not behind the end, are those of `text`. Behind the end stand zeros.
    function _says(bytes calldata json, uint256 place, bytes32 text, uint256 length) private pure returns (bool) {
        unchecked {
            uint256 others = 8 * (32 - length);
            return bytes32(json[place:]) >> others == text >> others;
        }
    }

    /// Whether `text` stands at `place`, and a quotation mark behind it.
    function _quotes(bytes calldata json, uint256 place, bytes memory text) private pure returns (bool) {
        unchecked {
            uint256 end = place + text.length;
            return end < json.length && json[end] == '"' && keccak256(json[place:end]) == keccak256(text);
        }
    }
}
