// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// What one would write first: points as a plain ERC-1155, one transaction an issue. The benchmark's baseline, never deployed otherwise.
contract PlainPoints is ERC1155(""), Ownable(msg.sender) {
    function issue(address member, uint256 lotId, uint256 points) external onlyOwner {
        _mint(member, lotId, points, "");
    }
}
