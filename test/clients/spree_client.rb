# A shop's application at an attached database.  Plays one story and prints what came of it, line by line:
#
#   ruby spree_client.rb HOST PORT DATABASE USER STORY

require_relative 'spree_shop'
include Shop

host, port, database, user, story = ARGV
ActiveRecord::Base.establish_connection(adapter: 'postgresql', host: host, port: port, database: database, username: user, pool: 20)

# What an application can make of a refusal.
def describe(error)
  return "#{error.class.name.demodulize}: #{error.message}" unless error.cause.is_a?(PG::CheckViolation)

  result = error.cause.result
  field = ->(name) { result.error_field(PG::Result.const_get("PG_DIAG_#{name}")) }
  "#{error.class.name.demodulize} #{error.cause.class} #{field['SQLSTATE']} #{field['TABLE_NAME']} #{field['CONSTRAINT_NAME']}"
end

def outcome
  yield
  'done'
rescue Refused, ActiveRecord::ActiveRecordError => e
  describe(e)
end

# The outcomes of the threads, each with a connection of its own, sorted.
def in_threads(count)
  threads = Array.new(count) do |i|
    Thread.new { ActiveRecord::Base.connection_pool.with_connection { outcome { yield i } } }
  end
  threads.map(&:value).sort
end

def show(credit)
  row = StoreCredit.unscoped.find(credit.id)
  puts [row.amount, row.amount_used, row.amount_authorized].map { |sum| format('%.2f', sum) }.join('/')
end

STORIES = {
  # the payment method locks the credit's row around what it does
  'checkout' => lambda do
    credit = StoreCredit.issue(1, 100)
    puts(in_threads(4) { StoreCredit.find(credit.id).then { |c| c.with_lock { c.authorize(60) } } })
    show credit
  end,

  # models that were all loaded before one of them was saved
  'stale' => lambda do
    credit = StoreCredit.issue(1, 100)
    models = Array.new(4) { StoreCredit.find(credit.id) }
    puts(in_threads(4) { |i| models[i].authorize(60) })
    show credit
  end,

  'admin' => lambda do
    credit = StoreCredit.issue(1, 100)
    loaded = StoreCredit.find(credit.id)
    also_loaded = StoreCredit.find(credit.id)
    credit.with_lock { credit.authorize(90) }
    puts outcome { loaded.update!(amount: 50) }, outcome { also_loaded.invalidate }, outcome { credit.update!(deleted_at: Time.now.utc) }
    show credit
  end,

  'twice' => lambda do
    credit = StoreCredit.issue(1, 100)
    code = credit.authorize(60)
    credit.void(code)
    puts outcome { StoreCredit.find(credit.id).void(code) }
    code = credit.authorize(40)
    credit.capture(40, code)
    puts outcome { StoreCredit.find(credit.id).capture(40, code) }
    credit.credit(40, code)
    puts(outcome { credit.credit(40, code) })
    show credit
  end,

  # an order and its payment; a refusal, and what the connection and an outer transaction can still do
  'order' => lambda do
    credit = StoreCredit.issue(1, 100, 'EUR')
    order = Order.create!(currency: 'USD')
    payment = { amount: 60, source_type: 'Spree::StoreCredit', source_id: credit.id, state: 'checkout' }
    puts(outcome { Payment.create!(payment.merge(order: order)) })
    Order.transaction do
      order.update!(currency: 'EUR')
      puts(outcome { Payment.transaction(requires_new: true) { Payment.create!(payment.merge(order: order, amount: -1)) } })
      Payment.create!(payment.merge(order: order))
    end
    puts Payment.where(order: order).count
  end,

  'figures' => lambda do
    credit = StoreCredit.issue(1, 100)
    begin
      credit.update_columns(amount_used: 500)
    rescue ActiveRecord::StatementInvalid => e
      puts e.cause.result.error_field(PG::Result::PG_DIAG_MESSAGE_DETAIL), e.cause.result.error_field(PG::Result::PG_DIAG_MESSAGE_HINT)
    end
    puts(outcome { StoreCredit.issue(1, 1001) }, outcome { StoreCredit.issue(1, 100, 'usd') })
    StoreCredit.where(user_id: 1).update_all(user_id: nil)
    puts StoreCredit.where(user_id: nil).count.positive?
  end,

  # customers, who buy with several credits in one order, staff who void and refund, and an admin who grants
  'crowd' => lambda do
    credits = Array.new(3) { StoreCredit.issue(7, 1000) }
    puts(in_threads(6) do |i|
      random = Random.new(i)
      12.times do
        next StoreCredit.issue(7, 1) if random.rand < 0.1

        chosen = credits.sample(2, random: random).map { |c| StoreCredit.find(c.id) }.sort_by(&:id)
        StoreCredit.transaction do
          chosen.each do |c|
            c.with_lock do
              sum = random.rand(1..5)
              code = c.authorize(sum)
              next c.void(code) if random.rand < 0.3

              c.capture(sum, code)
              c.credit(sum - 1, code) if sum > 1 && random.rand < 0.5
            end
          end
        end
      end
    end)
  end,

  # in mode "warn": nothing is refused, and nothing is written to where an application could take it for an error
  'warned' => lambda do
    credit = StoreCredit.issue(1, 100)
    code = credit.authorize(60)
    puts(outcome { 2.times { StoreCredit.find(credit.id).void(code) } }, outcome { credit.update_columns(currency: 'xx') })
    show credit
  end,

  'schema' => -> { ActiveRecord::SchemaDumper.dump },
  'schema_load' => lambda do
    ActiveRecord::Schema.verbose = false
    eval($stdin.read, binding, 'schema.rb') # as rails db:schema:load does
    puts outcome { StoreCredit.create!(user_id: 1, amount: -1, currency: 'xx') }
    ActiveRecord::Base.connection.execute(<<~SQL)
      SELECT storecredit.create_ledger();
      SELECT storecredit.spree_attach('spree_store_credits');
    SQL
    puts outcome { StoreCredit.create!(user_id: 1, amount: -1, currency: 'xx') }
  end
}.freeze

STORIES.fetch(story).call
