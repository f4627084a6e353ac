// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Integer ratios, money in minor units of the settlement currency: `parMinor` is what the issuer pays per `parPoints`,
/// `redemptionMinor` the least that the brand gives a member per `redemptionPoints`. `feeBasisPoints` is what the brand takes of
/// what it is paid; it runs off for at least `runOffDays`, and what worsens waits `noticeDays`.
struct Terms {
    uint64 parMinor;
    uint64 parPoints;
    uint64 redemptionMinor;
    uint64 redemptionPoints;
    uint16 feeBasisPoints;
    uint16 runOffDays;
    uint16 noticeDays;
}

/// Terms hold from a second on until a later version does; `number` counts from 1 within the brand.
struct TermsVersion {
    Terms terms;
    uint32 number;
    uint40 validFrom;
}

/// Versions of a brand's terms: what holds, and at most one that is announced. What gets worse for members or other brands waits
/// for the notice that holds, field by field; what does not holds at once.
library BrandTerms {
    uint256 internal constant BASIS_POINTS = 10_000;
    uint256 internal constant DAYS_MAX = 3_650;

    struct Versions {
        TermsVersion current;
        TermsVersion next;
    }

    event BrandTermsSet(uint32 indexed brandId, uint32 indexed number, Terms terms, uint40 validFrom);

    error RatioZero();
    error TermsOutOfRange();

    function held(Versions storage of_) internal view returns (TermsVersion memory) {
        return _isDue(of_) ? of_.next : of_.current;
    }

    /// Of `held`, read from one slot or two.
    function heldNumber(Versions storage of_) internal view returns (uint32) {
        return _isDue(of_) ? of_.next.number : of_.current.number;
    }

    function heldRate(Versions storage of_) internal view returns (uint64 minor, uint64 points) {
        Terms storage terms = _isDue(of_) ? of_.next.terms : of_.current.terms;
        return (terms.redemptionMinor, terms.redemptionPoints);
    }

    function announced(Versions storage of_) internal view returns (TermsVersion memory version) {
        if (!_isDue(of_)) version = of_.next;
    }

    /// What was announced before and does not hold yet is dropped.
    function set(Versions storage of_, uint32 brandId, Terms memory wanted) internal {
        if (wanted.parPoints == 0 || wanted.redemptionPoints == 0) revert RatioZero();
        if (wanted.feeBasisPoints > BASIS_POINTS || wanted.runOffDays > DAYS_MAX || wanted.noticeDays > DAYS_MAX) {
            revert TermsOutOfRange();
        }
        TermsVersion memory before = held(of_);
        uint32 number = of_.next.number > of_.current.number ? of_.next.number : of_.current.number;
        bool isFirst = number == 0;
        Terms memory atOnce = isFirst ? wanted : _better(before.terms, wanted);
        bool worsens = !_same(atOnce, wanted);
        if (worsens && _same(atOnce, before.terms)) {
            of_.current = before;
        } else {
            of_.current = _version(brandId, atOnce, ++number, block.timestamp);
        }
        if (worsens) {
            uint256 noticed = block.timestamp + uint256(before.terms.noticeDays) * 1 days;
            of_.next = _version(brandId, wanted, ++number, noticed);
        } else {
            delete of_.next;
        }
    }

    /// Every field of `wanted` that is no worse than before, the others as before.
    function _better(Terms memory before, Terms memory wanted) private pure returns (Terms memory result) {
        result = Terms({
            parMinor: wanted.parMinor,
            parPoints: wanted.parPoints,
            redemptionMinor: wanted.redemptionMinor,
            redemptionPoints: wanted.redemptionPoints,
            feeBasisPoints: wanted.feeBasisPoints < before.feeBasisPoints ? wanted.feeBasisPoints : before.feeBasisPoints,
            runOffDays: wanted.runOffDays > before.runOffDays ? wanted.runOffDays : before.runOffDays,
            noticeDays: wanted.noticeDays > before.noticeDays ? wanted.noticeDays : before.noticeDays
        });
        if (_isLess(wanted.parMinor, wanted.parPoints, before.parMinor, before.parPoints)) {
            (result.parMinor, result.parPoints) = (before.parMinor, before.parPoints);
        }
        if (_isLess(
                wanted.redemptionMinor, wanted.redemptionPoints, before.redemptionMinor, before.redemptionPoints
            )) {
            (result.redemptionMinor, result.redemptionPoints) = (before.redemptionMinor, before.redemptionPoints);
        }
    }

    function _isLess(uint256 minor, uint256 points, uint256 minorBefore, uint256 pointsBefore)
        private
        pure
        returns (bool)
    {
        unchecked {
            return minor * pointsBefore < minorBefore * points; // of 64 bits each
        }
    }

    function _same(Terms memory one, Terms memory other) private pure returns (bool) {
        return keccak256(abi.encode(one)) == keccak256(abi.encode(other));
    }

    function _version(uint32 brandId, Terms memory terms, uint32 number, uint256 validFrom)
        private
        returns (TermsVersion memory)
    {
        emit BrandTermsSet(brandId, number, terms, uint40(validFrom));
        return TermsVersion({terms: terms, number: number, validFrom: uint40(validFrom)});
    }

    function _isDue(Versions storage of_) private view returns (bool) {
        return of_.next.number != 0 && of_.next.validFrom <= block.timestamp;
    }
}
