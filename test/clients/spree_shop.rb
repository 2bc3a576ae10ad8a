# Models over a Spree or Solidus shop's tables that send what the applications' own models send: a row is locked
# with SELECT ... FOR UPDATE, values are absolute, and each change has an event, inserted with RETURNING.

require 'active_record'
require 'pg'
require 'securerandom'

module Shop
  class Refused < StandardError; end

  class Order < ActiveRecord::Base
    self.table_name = 'spree_orders'
  end

  class Payment < ActiveRecord::Base
    self.table_name = 'spree_payments'
    belongs_to :order, class_name: 'Shop::Order', optional: true
  end

  class StoreCreditEvent < ActiveRecord::Base
    self.table_name = 'spree_store_credit_events'
    default_scope { where(deleted_at: nil) }
  end

  class StoreCredit < ActiveRecord::Base
    self.table_name = 'spree_store_credits'
    default_scope { where(deleted_at: nil) }
    has_many :store_credit_events, class_name: 'Shop::StoreCreditEvent'

    def self.issue(owner, amount, currency = 'USD')
      transaction do
        credit = create!(user_id: owner, amount: amount, currency: currency)
        credit.write_event('allocation', amount, credit.new_code)
        credit
      end
    end

    def amount_remaining
      invalidated_at ? 0 : amount - amount_used - amount_authorized
    end

    def new_code
      "#{id}-SC-#{SecureRandom.uuid}"
    end

    def write_event(action, sum, code)
      total = self.class.where(user_id: user_id).to_a.sum(&:amount_remaining)
      store_credit_events.create!(action: action, amount: sum, authorization_code: code, user_total_amount: total)
    end

    def authorized_by(code)
      StoreCreditEvent.find_by(authorization_code: code, action: 'authorize').amount
    end

    def authorize(sum)
      raise Refused, 'Store credit amount remaining is not sufficient' if sum > amount_remaining

      code = new_code
      transaction do
        update!(amount_authorized: amount_authorized + sum)
        write_event('authorize', sum, code)
      end
      code
    end

    def capture(sum, code)
      transaction do
        update!(amount_used: amount_used + sum, amount_authorized: amount_authorized - authorized_by(code))
        write_event('capture', sum, code)
      end
    end

    def void(code)
      transaction do
        update!(amount_authorized: amount_authorized - authorized_by(code))
        write_event('void', authorized_by(code), code)
      end
    end

    def credit(sum, code)
      transaction do
        update!(amount_used: amount_used - sum)
        write_event('credit', sum, code)
      end
    end

    def invalidate
      transaction do
        update!(invalidated_at: Time.now.utc)
        write_event('invalidate', amount, new_code)
      end
    end
  end
end
