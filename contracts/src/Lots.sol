// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Lots end on a month's last day, in days since 1970-01-01; 0 = never. Proleptic Gregorian calendar, years from March on.
library Lots {
    uint256 internal constant GRACE_DAYS = 30;

    function id(uint256 brand, uint256 expiryDay) internal pure returns (uint256) {
        return (brand << 32) | expiryDay;
    }

    function brandOf(uint256 lotId) internal pure returns (uint32) {
        return uint32(lotId >> 32);
    }

    function expiryDayOf(uint256 lotId) internal pure returns (uint256) {
        return uint32(lotId);
    }

    /// Expired from 24:00 of the expiry day on, that is from the first second of a later local day.
    function isExpired(uint256 expiryDay, uint256 localDay) internal pure returns (bool) {
        return expiryDay != 0 && localDay > expiryDay;
    }

    function isMonthEnd(uint256 day) internal pure returns (bool) {
        return dayOfMonth(day + 1) == 1;
    }

    function monthEnd(uint256 day) internal pure returns (uint256) {
        unchecked {
            uint256 inNextMonth = day - dayOfMonth(day) + 32; // 31 days after the first: the 1st to 4th of the next month
            return inNextMonth - dayOfMonth(inNextMonth);
        }
    }

    /// The month end to which points come back whose own lot has expired.
    function graceExpiryDay(uint256 localDay) internal pure returns (uint256) {
        return monthEnd(localDay + GRACE_DAYS);
    }

    /// Where points of the lot come back to: the lot itself, or once that has expired the grace lot of its brand.
    function orGrace(uint256 lotId, uint256 localDay) internal pure returns (uint256) {
        return isExpired(expiryDayOf(lotId), localDay) ? id(lotId >> 32, graceExpiryDay(localDay)) : lotId;
    }

    /// 1 to 31.
    function dayOfMonth(uint256 day) internal pure returns (uint256) {
        unchecked {
            uint256 dayOfEra = (day + 719_468) % 146_097;
            uint256 yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
            uint256 dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
            uint256 month = (5 * dayOfYear + 2) / 153;
            return dayOfYear - (153 * month + 2) / 5 + 1;
        }
    }
}
